-- Machine identities of other teams' services. Each belongs to one user or to one organisation.
CREATE TABLE service_accounts (
    id          text PRIMARY KEY,
    name        text NOT NULL,
    owner_id    uuid REFERENCES users ON DELETE CASCADE,
    org         text REFERENCES organisations,
    scopes      text[] NOT NULL,
    created_at  timestamptz NOT NULL DEFAULT now(),
    disabled_at timestamptz,
    CHECK ((owner_id IS NULL) <> (org IS NULL))
);
CREATE INDEX service_accounts_owner ON service_accounts (owner_id);
CREATE INDEX service_accounts_org ON service_accounts (org);

-- A secret, or the public key of a key pair. Tokens say session_id as `sid`; it is replaced when they are revoked.
CREATE TABLE service_account_credentials (
    id           text PRIMARY KEY,
    account_id   text NOT NULL REFERENCES service_accounts ON DELETE CASCADE,
    secret_hash  bytea,
    public_key   text,
    session_id   uuid NOT NULL DEFAULT gen_random_uuid(),
    created_at   timestamptz NOT NULL DEFAULT now(),
    expires_at   timestamptz NOT NULL,
    last_used_at timestamptz,
    revoked_at   timestamptz,
    CHECK ((secret_hash IS NULL) <> (public_key IS NULL))
);
CREATE INDEX service_account_credentials_account ON service_account_credentials (account_id);

-- Assertions (RFC 7523) that were accepted, until they expire: each counts once.
CREATE TABLE used_assertions (
    assertion_hash bytea PRIMARY KEY,
    expires_at     timestamptz NOT NULL
);
CREATE INDEX used_assertions_expiry ON used_assertions (expires_at);
