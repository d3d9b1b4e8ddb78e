-- Trends as they were seen while the service ran, one row from start to end; the past before that can be replayed.
CREATE TABLE trends (
    id           bigint GENERATED ALWAYS AS IDENTITY,
    scope        text        NOT NULL,
    key          text        NOT NULL,
    name         text        NOT NULL,
    started_at   timestamptz NOT NULL,
    last_seen_at timestamptz NOT NULL,
    peak_at      timestamptz NOT NULL,
    peak_rate    float8      NOT NULL,
    peak_told    boolean     NOT NULL DEFAULT false,
    ended_at     timestamptz,
    topic        jsonb       NOT NULL,
    PRIMARY KEY (id, started_at)
) PARTITION BY RANGE (started_at);

CREATE INDEX trends_open ON trends (scope) WHERE ended_at IS NULL;
CREATE INDEX trends_by_time ON trends (started_at, id);

CREATE TABLE trend_events (
    seq   bigint GENERATED ALWAYS AS IDENTITY,
    at    timestamptz NOT NULL,
    kind  text        NOT NULL CHECK (kind IN ('start', 'peak', 'end')),
    scope text        NOT NULL,
    body  jsonb       NOT NULL,
    PRIMARY KEY (seq, at)
) PARTITION BY RANGE (at);

DO $$
DECLARE
    parent text;
    year   int;
BEGIN
    FOREACH parent IN ARRAY ARRAY['trends', 'trend_events'] LOOP
        FOR year IN 2018..2035 LOOP
            EXECUTE format(
                'CREATE TABLE %I PARTITION OF %I FOR VALUES FROM (%L) TO (%L)',
                parent || '_' || year, parent, year || '-01-01 00:00:00+00', (year + 1) || '-01-01 00:00:00+00');
        END LOOP;
        EXECUTE format('CREATE TABLE %I PARTITION OF %I DEFAULT', parent || '_default', parent);
    END LOOP;
END $$;

-- What users want to be told. The secret of a webhook is derived from a setting, the id and the generation.
CREATE TABLE watches (
    id             text        PRIMARY KEY,
    owner          text        NOT NULL,
    name           text        NOT NULL,
    kind           text        NOT NULL,
    topic          text,
    place          text,
    entity         text,
    threshold      float8      NOT NULL,
    url            text,
    quiet_from     int,
    quiet_until    int,
    digest_minutes int,
    generation     int         NOT NULL DEFAULT 1,
    rotated_at     timestamptz,
    created_at     timestamptz NOT NULL DEFAULT now()
);

CREATE INDEX watches_by_owner ON watches (owner, created_at);

-- Each event once per watch: the key names what happened. Delivered in the order of seq, one batch at a time.
CREATE TABLE watch_events (
    seq         bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    watch_id    text        NOT NULL REFERENCES watches ON DELETE CASCADE,
    key         text        NOT NULL,
    kind        text        NOT NULL,
    at          timestamptz NOT NULL DEFAULT now(),
    body        jsonb       NOT NULL,
    status      text        NOT NULL CHECK (status IN ('stream', 'pending', 'delivered', 'dead')),
    batch       text,
    attempts    int         NOT NULL DEFAULT 0,
    due_at      timestamptz NOT NULL DEFAULT now(),
    settled_at  timestamptz,
    last_error  text,
    UNIQUE (watch_id, key)
);

CREATE INDEX watch_events_pending ON watch_events (watch_id, seq) WHERE status = 'pending';
CREATE INDEX watch_events_by_watch ON watch_events (watch_id, seq);
