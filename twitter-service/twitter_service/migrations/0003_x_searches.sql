-- Readings of X: searches that were asked for, runs of collections, gaps of the stream, timelines.

CREATE TABLE x_searches (
    id                 text PRIMARY KEY,
    kind               text NOT NULL CHECK (kind IN ('search', 'collection', 'gap', 'timeline')),
    collection_id      text,
    tenant             text NOT NULL,
    purpose            text NOT NULL,
    idempotency_key    text,
    request            jsonb NOT NULL,
    queries            text[] NOT NULL,
    archive            boolean NOT NULL,
    starts_at          timestamptz,
    ends_at            timestamptz,
    since_id           bigint,
    until_id           bigint,
    max_posts          bigint NOT NULL,
    state              text NOT NULL DEFAULT 'queued' CHECK (state IN ('queued', 'running', 'paused', 'done', 'failed')),
    error_code         text,
    error              text,
    attempts           integer NOT NULL DEFAULT 0,
    not_before         timestamptz NOT NULL DEFAULT now(),
    -- Whoever reads holds the lease; a killed replica's readings are taken up where they stood.
    claim              text,
    lease_until        timestamptz,
    query_number       integer NOT NULL DEFAULT 0,
    next_token         text,
    pages              bigint NOT NULL DEFAULT 0,
    posts_read         bigint NOT NULL DEFAULT 0,
    posts_billed       bigint NOT NULL DEFAULT 0,
    micro_usd          bigint NOT NULL DEFAULT 0,
    stored             bigint NOT NULL DEFAULT 0,
    duplicates         bigint NOT NULL DEFAULT 0,
    rejected           bigint NOT NULL DEFAULT 0,
    newest_id          bigint,
    complete           boolean NOT NULL DEFAULT false,
    created_at         timestamptz NOT NULL DEFAULT now(),
    finished_at        timestamptz
);
CREATE INDEX x_searches_due ON x_searches (not_before, created_at) WHERE state IN ('queued', 'running');
CREATE INDEX x_searches_listed ON x_searches (created_at DESC, id DESC);
CREATE INDEX x_searches_collection ON x_searches (collection_id, created_at DESC) WHERE collection_id IS NOT NULL;
CREATE UNIQUE INDEX x_searches_key ON x_searches (tenant, idempotency_key) WHERE idempotency_key IS NOT NULL;
