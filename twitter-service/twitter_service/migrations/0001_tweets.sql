-- Tweets, the entities they speak of, and the one row that orders every change.

CREATE EXTENSION IF NOT EXISTS unaccent;

-- A configuration of its own instead of unaccent(text) in the index: to_tsvector with a named
-- configuration is immutable, unaccent() is not.
CREATE TEXT SEARCH CONFIGURATION castor_es (COPY = pg_catalog.spanish);
ALTER TEXT SEARCH CONFIGURATION castor_es
    ALTER MAPPING FOR hword, hword_part, word WITH unaccent, spanish_stem;

-- Who writes a tweet or changes an entity locks this row first and holds it until commit. So change
-- numbers are taken in commit order: whoever sees number n sees every number below it, and a feed
-- cursor never passes a change that is still being committed. The counts spare a scan of the tweets.
CREATE TABLE feed_state (
    only_row        boolean PRIMARY KEY DEFAULT true CHECK (only_row),
    head            bigint NOT NULL DEFAULT 0,
    entity_revision bigint NOT NULL DEFAULT 0,
    tweets          bigint NOT NULL DEFAULT 0,
    scored          bigint NOT NULL DEFAULT 0,
    unscorable      bigint NOT NULL DEFAULT 0
);
INSERT INTO feed_state DEFAULT VALUES;

CREATE TABLE entities (
    id              text PRIMARY KEY,
    name            text NOT NULL,
    kind            text NOT NULL CHECK (kind IN ('candidate', 'party', 'topic')),
    handles         text[] NOT NULL,
    aliases         text[] NOT NULL,
    hashtags        text[] NOT NULL,
    colour          text,
    created_at      timestamptz NOT NULL DEFAULT now(),
    deleted         boolean NOT NULL DEFAULT false,
    -- Stored tweets up to this id are matched against the present terms; matching ends with the newest.
    matching        boolean NOT NULL DEFAULT true,
    matched_through bigint NOT NULL DEFAULT 0
);
CREATE INDEX entities_matching ON entities (matched_through) WHERE matching;

CREATE TABLE imports (
    id                 text PRIMARY KEY,
    format             text NOT NULL CHECK (format IN ('csv', 'jsonl')),
    filename           text,
    state              text NOT NULL DEFAULT 'running' CHECK (state IN ('running', 'done', 'failed')),
    error              text,
    rows               bigint NOT NULL DEFAULT 0,
    accepted           bigint NOT NULL DEFAULT 0,
    duplicates         bigint NOT NULL DEFAULT 0,
    rejected           bigint NOT NULL DEFAULT 0,
    rejections         jsonb NOT NULL DEFAULT '[]',
    entities_created   text[] NOT NULL DEFAULT '{}',
    authors_left_out   bigint NOT NULL DEFAULT 0,
    first_tweet_at     timestamptz,
    last_tweet_at      timestamptz,
    started_at         timestamptz NOT NULL DEFAULT now(),
    finished_at        timestamptz,
    -- The request that brought the file; its scoring continues under the same ids.
    origin_request_id  text,
    origin_traceparent text
);

-- An id is a snowflake: its upper bits are milliseconds since 2010-11-04T01:42:54.657Z. So ranges of
-- ids are ranges of time, and the primary key that keeps a tweet single may be the partition key.
CREATE TABLE tweets (
    id           bigint PRIMARY KEY,
    username     text NOT NULL,
    author_id    text,
    created_at   timestamptz NOT NULL,
    text         text NOT NULL,
    lang         text,
    metrics      jsonb,
    raw          jsonb,
    import_id    text NOT NULL,
    stored_at    timestamptz NOT NULL DEFAULT now(),
    needs_score  boolean NOT NULL DEFAULT true,
    positive     double precision,
    neutral      double precision,
    negative     double precision,
    label        text CHECK (label IN ('positive', 'neutral', 'negative')),
    model        text,
    scored_at    timestamptz,
    score_error  text,
    deleted      boolean NOT NULL DEFAULT false,
    change_seq   bigint NOT NULL,
    search       tsvector GENERATED ALWAYS AS (to_tsvector('castor_es', text)) STORED
) PARTITION BY RANGE (id);

CREATE INDEX tweets_change ON tweets (change_seq);
CREATE INDEX tweets_time ON tweets (created_at, id) WHERE NOT deleted;
CREATE INDEX tweets_author ON tweets (lower(username), created_at, id) WHERE NOT deleted;
CREATE INDEX tweets_unscored ON tweets (created_at, id) WHERE needs_score;
CREATE INDEX tweets_search ON tweets USING gin (search);

-- A tweet counts for its author and for whom it mentions.
CREATE TABLE tweet_entities (
    tweet_id   bigint NOT NULL,
    entity_id  text NOT NULL,
    created_at timestamptz NOT NULL,
    PRIMARY KEY (tweet_id, entity_id)
) PARTITION BY RANGE (tweet_id);

CREATE INDEX tweet_entities_time ON tweet_entities (entity_id, created_at, tweet_id);

-- One partition a year. What lies beyond the last one waits in the default partition, so nothing is
-- refused; a later migration adds years.
DO $$
DECLARE
    parent text;
    lower_bound text;
    upper_bound text;
BEGIN
    FOREACH parent IN ARRAY ARRAY['tweets', 'tweet_entities'] LOOP
        lower_bound := 'MINVALUE';
        FOR year IN 2016..2032 LOOP
            upper_bound := (
                (extract(epoch FROM make_timestamptz(year + 1, 1, 1, 0, 0, 0, 'UTC')) * 1000)::bigint - 1288834974657
            ) << 22;
            EXECUTE format(
                'CREATE TABLE %I PARTITION OF %I FOR VALUES FROM (%s) TO (%s)',
                parent || CASE WHEN year = 2016 THEN '_to_2016' ELSE '_' || year END, parent, lower_bound, upper_bound
            );
            lower_bound := upper_bound;
        END LOOP;
        EXECUTE format('CREATE TABLE %I PARTITION OF %I DEFAULT', parent || '_beyond', parent);
    END LOOP;
END
$$;
