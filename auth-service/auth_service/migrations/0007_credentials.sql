-- When password, address, second factor, roles or state of the account changed last. What was begun before it is void:
-- a login that read the account earlier, one-time tokens, mails that wait.
ALTER TABLE users ADD COLUMN credentials_changed_at timestamptz NOT NULL DEFAULT now();
ALTER TABLE one_time_tokens ADD COLUMN made_under timestamptz;
ALTER TABLE outbox ADD COLUMN created_at timestamptz NOT NULL DEFAULT clock_timestamp();

-- How the user of a session was authenticated (RFC 8176), and when. How older sessions began is not known: they count as
-- begun with the password alone.
ALTER TABLE refresh_families
    ADD COLUMN amr       text[] NOT NULL DEFAULT '{pwd}',
    ADD COLUMN auth_time timestamptz NOT NULL DEFAULT now();
UPDATE refresh_families SET auth_time = created_at;
