ALTER TABLE users
    ADD COLUMN campaign_role      text,
    ADD COLUMN candidate_position text,
    ADD COLUMN whatsapp_number    text,
    ADD COLUMN whatsapp_opt_in    boolean NOT NULL DEFAULT false,
    ADD COLUMN email_verified_at  timestamptz,
    ADD COLUMN closed_reason      text,
    ADD COLUMN totp_sealed        bytea,
    ADD COLUMN totp_confirmed_at  timestamptz,
    ADD COLUMN totp_last_step     bigint NOT NULL DEFAULT 0;
CREATE INDEX users_by_age ON users (created_at DESC, id DESC);

-- Who registered and has not yet shown that the address is theirs. Many may, for one address; one of them can.
CREATE TABLE pending_registrations (
    token_hash    bytea PRIMARY KEY,
    email         text NOT NULL,
    password_hash text NOT NULL,
    roles         text[] NOT NULL,
    profile       jsonb NOT NULL,
    expires_at    timestamptz NOT NULL
);
CREATE INDEX pending_registrations_email ON pending_registrations (email);
CREATE INDEX pending_registrations_expiry ON pending_registrations (expires_at);

CREATE TABLE one_time_tokens (
    token_hash bytea PRIMARY KEY,
    purpose    text NOT NULL CHECK (purpose IN ('password_reset', 'email_change')),
    user_id    uuid NOT NULL REFERENCES users ON DELETE CASCADE,
    email      text NOT NULL,
    expires_at timestamptz NOT NULL,
    UNIQUE (user_id, purpose)
);
CREATE INDEX one_time_tokens_expiry ON one_time_tokens (expires_at);

CREATE TABLE recovery_codes (
    code_hash bytea NOT NULL,
    user_id   uuid NOT NULL REFERENCES users ON DELETE CASCADE,
    PRIMARY KEY (user_id, code_hash)
);

-- What is to be said to people, until it is said. Sealed: it holds addresses and tokens.
CREATE TABLE outbox (
    id       bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    sealed   bytea NOT NULL,
    attempts integer NOT NULL DEFAULT 0,
    due_at   timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX outbox_due ON outbox (due_at);
