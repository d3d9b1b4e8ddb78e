-- The JSON of a tweet no longer holds the tweet that it quotes, which may be erased. Nothing reads what goes here; of
-- replies and retweets it goes when the tweet that they hold is erased.
DELETE FROM tweet_raw WHERE raw LIKE '%"quoted_status":%' OR (raw LIKE '%"quoted"%' AND raw ~ '"text".*"text"');
