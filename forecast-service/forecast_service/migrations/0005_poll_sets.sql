-- Polls that an organisation keeps, to be averaged again; the id is a hash of their content.
CREATE TABLE poll_sets (
    org        text NOT NULL,
    id         text NOT NULL,
    name       text NOT NULL,
    polls      jsonb NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (org, id)
);
