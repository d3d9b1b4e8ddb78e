-- Counts by hour, so that a question about weeks does not read the terms of their tweets one by one; whose words a
-- tweet is (the account that a retweet repeats); what it can be filtered by ('place:…', 'entity:…', 'axis:…').
ALTER TABLE tweets ADD COLUMN voice text NOT NULL DEFAULT '';
ALTER TABLE tweets ADD COLUMN scopes text[] NOT NULL DEFAULT '{}';

ALTER TABLE tweet_terms DROP CONSTRAINT tweet_terms_kind_check;
ALTER TABLE tweet_terms ADD CONSTRAINT tweet_terms_kind_check
    CHECK (kind IN ('hashtag', 'mention', 'phrase', 'entity', 'link', 'domain'));

-- Near-duplicates count once an hour. An hour that stands in stale_hours is counted from tweet_terms instead.
CREATE TABLE term_hours (
    term    text COLLATE "C" NOT NULL,
    hour    timestamptz      NOT NULL,
    tweets  int              NOT NULL,
    PRIMARY KEY (term, hour)
) PARTITION BY RANGE (hour);

CREATE INDEX term_hours_by_time ON term_hours (hour);

CREATE TABLE stream_hours (
    hour   timestamptz PRIMARY KEY,
    tweets int NOT NULL
);

-- Written in the transaction that changes a tweet of the hour; a roll-up takes the row, so none is counted twice.
CREATE TABLE stale_hours (
    hour       timestamptz PRIMARY KEY,
    touched_at timestamptz NOT NULL DEFAULT now()
);

DO $$
DECLARE
    year int;
BEGIN
    FOR year IN 2018..2035 LOOP
        EXECUTE format(
            'CREATE TABLE %I PARTITION OF term_hours FOR VALUES FROM (%L) TO (%L)',
            'term_hours_' || year, year || '-01-01 00:00:00+00', (year + 1) || '-01-01 00:00:00+00');
    END LOOP;
    CREATE TABLE term_hours_default PARTITION OF term_hours DEFAULT;
END $$;

-- All of it is derived from the feed, which is read again from its beginning.
TRUNCATE tweets, tweet_terms;
UPDATE feed_state SET next_cursor = 0, tweets = 0, caught_up_at = NULL;
