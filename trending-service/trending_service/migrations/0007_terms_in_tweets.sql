-- The terms of a tweet stand in its row, one a line, and beside them how they are spelt (an empty line: as the key):
-- a page of the feed writes one row a tweet instead of one a term. 'shared' are the hashtags and links among them.
DROP TABLE tweet_terms;
ALTER TABLE tweets ADD COLUMN terms text COLLATE "C" NOT NULL DEFAULT '';
ALTER TABLE tweets ADD COLUMN spellings text COLLATE "C" NOT NULL DEFAULT '';
ALTER TABLE tweets ADD COLUMN shared text[] NOT NULL DEFAULT '{}';

-- All of it is derived from the feed, which is read again from its beginning.
TRUNCATE tweets, term_hours, stream_hours, stale_hours;
UPDATE feed_state SET next_cursor = 0, tweets = 0, caught_up_at = NULL;
