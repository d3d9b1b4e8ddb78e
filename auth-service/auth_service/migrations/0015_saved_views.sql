-- Addresses of a frontend that users keep under a name.
CREATE TABLE saved_views (
    id       uuid PRIMARY KEY DEFAULT gen_random_uuid(),
    user_id  uuid NOT NULL REFERENCES users ON DELETE CASCADE,
    name     text NOT NULL,
    address  text NOT NULL,
    saved_at timestamptz NOT NULL DEFAULT now(),
    UNIQUE (user_id, name)
);
