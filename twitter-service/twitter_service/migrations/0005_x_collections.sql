-- Saved searches: read on a schedule, or followed by the filtered stream.

CREATE TABLE x_collections (
    id            text PRIMARY KEY,
    name          text NOT NULL,
    mode          text NOT NULL CHECK (mode IN ('search', 'stream')),
    query         jsonb NOT NULL,
    tenant        text NOT NULL,
    purpose       text NOT NULL,
    every_seconds integer NOT NULL,
    max_posts     bigint NOT NULL,
    enabled       boolean NOT NULL DEFAULT true,
    -- Every post up to this id has been read, or waits in a filling of a gap.
    since_id      bigint,
    next_run_at   timestamptz NOT NULL DEFAULT now(),
    streaming     boolean NOT NULL DEFAULT false,
    connects      bigint NOT NULL DEFAULT 0,
    error_code    text,
    error         text,
    created_at    timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX x_collections_due ON x_collections (next_run_at) WHERE enabled;
