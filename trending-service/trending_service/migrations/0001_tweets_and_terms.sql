-- One row per tweet that exists; the text itself stays with twitter-service.
CREATE TABLE tweets (
    id         bigint      NOT NULL,
    created_at timestamptz NOT NULL,
    author     text        NOT NULL,
    label      text        CHECK (label IN ('positive', 'neutral', 'negative')),
    text_hash  bigint      NOT NULL,
    PRIMARY KEY (id, created_at)
) PARTITION BY RANGE (created_at);

CREATE INDEX tweets_by_time ON tweets (created_at);

-- One row per term of a tweet. The key answers "how often was this term used between two moments",
-- the second index "which terms were used between two moments" and "the terms of this tweet".
CREATE TABLE tweet_terms (
    term       text COLLATE "C" NOT NULL,
    kind       text             NOT NULL CHECK (kind IN ('hashtag', 'mention', 'phrase')),
    tweet_id   bigint           NOT NULL,
    created_at timestamptz      NOT NULL,
    author     text             NOT NULL,
    spelling   text COLLATE "C" NOT NULL,
    PRIMARY KEY (term, created_at, tweet_id)
) PARTITION BY RANGE (created_at);

CREATE INDEX tweet_terms_by_time ON tweet_terms (created_at, tweet_id);

DO $$
DECLARE
    parent text;
    year   int;
BEGIN
    FOREACH parent IN ARRAY ARRAY['tweets', 'tweet_terms'] LOOP
        FOR year IN 2018..2035 LOOP
            EXECUTE format(
                'CREATE TABLE %I PARTITION OF %I FOR VALUES FROM (%L) TO (%L)',
                parent || '_' || year, parent, year || '-01-01 00:00:00+00', (year + 1) || '-01-01 00:00:00+00');
        END LOOP;
        EXECUTE format('CREATE TABLE %I PARTITION OF %I DEFAULT', parent || '_default', parent);
    END LOOP;
END $$;

-- How far the feed of tweets is applied; written in the same transaction as the tweets.
CREATE TABLE feed_state (
    feed         text PRIMARY KEY,
    next_cursor  bigint      NOT NULL DEFAULT 0,
    tweets       bigint      NOT NULL DEFAULT 0,
    caught_up_at timestamptz
);

INSERT INTO feed_state (feed) VALUES ('tweets');
