-- The terms of a tweet stand in its row, one a line, and beside them how they are spelt (an empty line: as the key):
-- a page of the feed writes one row a tweet instead of one a term. 'shared' are the hashtags and links among them.
DROP TABLE tweet_terms;
ALTER TABLE tweets ADD COLUMN terms text COLLATE "C" NOT NULL DEFAULT '';
ALTER TABLE tweets ADD COLUMN spellings text COLLATE "C" NOT NULL DEFAULT '';
ALTER TABLE tweets ADD COLUMN shared text[] NOT NULL DEFAULT '{}';

-- The counts by hour of one term on one day (UTC) stand in one row, so that a question of thousands of terms reads some
-- rows of each, not hundreds: 'hours' are pairs of int4, an hour since 1970 and its tweets, one after the other.
DROP TABLE term_hours;
CREATE TABLE term_days (
    term  text COLLATE "C" NOT NULL,
    day   timestamptz      NOT NULL,
    hours bytea            NOT NULL,
    PRIMARY KEY (term, day)
) PARTITION BY RANGE (day);

CREATE INDEX term_days_by_time ON term_days (day);

DO $$
DECLARE
    year int;
BEGIN
    FOR year IN 2018..2035 LOOP
        EXECUTE format(
            'CREATE TABLE %I PARTITION OF term_days FOR VALUES FROM (%L) TO (%L)',
            'term_days_' || year, year || '-01-01 00:00:00+00', (year + 1) || '-01-01 00:00:00+00');
    END LOOP;
    CREATE TABLE term_days_default PARTITION OF term_days DEFAULT;
END $$;

-- All of it is derived from the feed, which is read again from its beginning.
TRUNCATE tweets, stream_hours, stale_hours;
UPDATE feed_state SET next_cursor = 0, tweets = 0, caught_up_at = NULL;
