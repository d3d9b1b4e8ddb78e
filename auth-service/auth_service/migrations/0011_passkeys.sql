-- Passkeys (WebAuthn): public keys of authenticators, which log in without a password.
CREATE TABLE passkeys (
    id           bytea PRIMARY KEY,
    user_id      uuid NOT NULL REFERENCES users ON DELETE CASCADE,
    name         text NOT NULL,
    public_key   bytea NOT NULL,
    sign_count   bigint NOT NULL,
    created_at   timestamptz NOT NULL DEFAULT now(),
    last_used_at timestamptz
);
CREATE INDEX passkeys_user ON passkeys (user_id);

-- Challenges that were answered. A challenge is sealed and not stored until then, so strangers cannot fill a table.
CREATE TABLE used_challenges (
    challenge_hash bytea PRIMARY KEY,
    expires_at     timestamptz NOT NULL
);
CREATE INDEX used_challenges_expiry ON used_challenges (expires_at);
