-- An account belongs to one organisation. Accounts that were there before are the default one's, whose administrators manage
-- all organisations; those of another manage only their own.
CREATE TABLE organisations (
    id         text PRIMARY KEY CHECK (id ~ '^[a-z0-9][a-z0-9-]{0,38}[a-z0-9]$'),
    name       text NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now()
);
INSERT INTO organisations (id, name) VALUES ('default', 'CASTOR');

ALTER TABLE users ADD COLUMN org text NOT NULL DEFAULT 'default' REFERENCES organisations;
CREATE INDEX users_by_organisation ON users (org, created_at DESC, id DESC);
