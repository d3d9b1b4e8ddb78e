ALTER TABLE revocations DROP CONSTRAINT revocations_kind_check;
ALTER TABLE revocations ADD CONSTRAINT revocations_kind_check
    CHECK (kind IN ('session', 'user', 'api_key', 'signing_key'));

-- The secret before the last rotation holds until previous_until.
ALTER TABLE api_keys ADD COLUMN previous_hash bytea, ADD COLUMN previous_until timestamptz;

-- Clients of the token endpoint that prove themselves by a secret instead of the certificate of a service.
CREATE TABLE service_clients (
    id             text PRIMARY KEY,
    service        text NOT NULL,
    secret_hash    bytea NOT NULL,
    previous_hash  bytea,
    previous_until timestamptz,
    created_at     timestamptz NOT NULL DEFAULT now(),
    rotated_at     timestamptz,
    last_used_at   timestamptz,
    revoked_at     timestamptz
);
