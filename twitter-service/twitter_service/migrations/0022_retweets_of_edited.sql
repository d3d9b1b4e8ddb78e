-- A retweet counts for the first version of its original, under which that is stored and erased.
UPDATE retweets r SET original_id = v.tweet_id
FROM (
    SELECT version_id, id AS tweet_id FROM tweets WHERE version_id IS NOT NULL
    UNION
    SELECT version_id, tweet_id FROM tweet_versions WHERE version_id <> tweet_id
) v
WHERE r.original_id = v.version_id
  AND NOT EXISTS (SELECT FROM retweets k WHERE k.original_id = v.tweet_id AND k.retweet_id = r.retweet_id);
