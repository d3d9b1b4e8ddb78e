-- Browsers in which somebody logged in at the login page, so that the next frontend need not ask again.
CREATE TABLE browser_sessions (
    token_hash bytea PRIMARY KEY,
    user_id    uuid NOT NULL REFERENCES users ON DELETE CASCADE,
    amr        text[] NOT NULL,
    auth_time  timestamptz NOT NULL DEFAULT now(),
    made_under timestamptz NOT NULL,
    expires_at timestamptz NOT NULL
);
CREATE INDEX browser_sessions_user ON browser_sessions (user_id);
CREATE INDEX browser_sessions_expiry ON browser_sessions (expires_at);
COMMENT ON COLUMN browser_sessions.made_under IS 'credentials_changed_at of the account: any change of it ends them.';
