ALTER TABLE refresh_families ADD COLUMN user_agent text NOT NULL DEFAULT '';

-- One row: its lock gives revocations their order, so that no reader passes one that is still being committed.
CREATE TABLE revocation_epoch (
    single boolean PRIMARY KEY DEFAULT true CHECK (single),
    epoch  bigint NOT NULL
);
INSERT INTO revocation_epoch (epoch) VALUES (0);

-- What ended early, kept until its tokens would have expired by themselves.
CREATE TABLE revocations (
    epoch      bigint NOT NULL,
    kind       text NOT NULL CHECK (kind IN ('session', 'user', 'api_key')),
    subject    text NOT NULL,
    revoked_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    expires_at timestamptz NOT NULL,
    PRIMARY KEY (epoch, kind, subject)
);
CREATE INDEX revocations_expiry ON revocations (expires_at);
