-- Words of tweets that were erased while they were being indexed.
DELETE FROM tweet_search s USING tweets t WHERE t.id = s.tweet_id AND t.deleted;
