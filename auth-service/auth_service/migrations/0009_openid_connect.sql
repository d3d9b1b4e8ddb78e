-- Frontends that send their users here to log in (OpenID Connect). They are public clients: they have no secret.
CREATE TABLE oidc_clients (
    id            text PRIMARY KEY,
    name          text NOT NULL,
    redirect_uris text[] NOT NULL,
    logout_uris   text[] NOT NULL,
    scopes        text[] NOT NULL,
    created_at    timestamptz NOT NULL DEFAULT now(),
    revoked_at    timestamptz
);

-- A login that a client is about to collect. A used code stays until it expires, so that a second use is noticed.
CREATE TABLE authorization_codes (
    code_hash    bytea PRIMARY KEY,
    client_id    text NOT NULL,
    redirect_uri text NOT NULL,
    challenge    text NOT NULL,
    nonce        text,
    scopes       text[] NOT NULL,
    user_id      uuid NOT NULL REFERENCES users ON DELETE CASCADE,
    amr          text[] NOT NULL,
    auth_time    timestamptz NOT NULL DEFAULT now(),
    made_under   timestamptz NOT NULL,
    expires_at   timestamptz NOT NULL,
    session_id   uuid
);
CREATE INDEX authorization_codes_user ON authorization_codes (user_id);
CREATE INDEX authorization_codes_expiry ON authorization_codes (expires_at);

-- Which client began a session, and what it may do in it; null: a login at this service, with all scopes of the user.
ALTER TABLE refresh_families
    ADD COLUMN client_id text,
    ADD COLUMN scopes    text[],
    ADD CONSTRAINT refresh_families_client CHECK ((client_id IS NULL) = (scopes IS NULL));
