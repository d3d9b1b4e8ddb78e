-- A retweet counts for the first version of its original, under which that is stored and erased. One that came with
-- several versions becomes one row, and stays deleted where any of them was.
WITH versions AS (
    SELECT version_id, id AS tweet_id FROM tweets WHERE version_id IS NOT NULL
    UNION
    SELECT version_id, tweet_id FROM tweet_versions WHERE version_id <> tweet_id
), moved AS (
    DELETE FROM retweets r USING versions v WHERE r.original_id = v.version_id
    RETURNING v.tweet_id, r.retweet_id, r.author_id, r.created_at, r.deleted
)
INSERT INTO retweets (original_id, retweet_id, author_id, created_at, deleted)
SELECT tweet_id, retweet_id, CASE WHEN NOT bool_or(deleted) THEN max(author_id) END, min(created_at), bool_or(deleted)
FROM moved GROUP BY tweet_id, retweet_id
ON CONFLICT (original_id, retweet_id) DO UPDATE
SET deleted = retweets.deleted OR excluded.deleted,
    author_id = CASE WHEN NOT (retweets.deleted OR excluded.deleted) THEN retweets.author_id END;
