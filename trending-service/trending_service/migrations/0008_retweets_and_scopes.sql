-- Whether X says that a tweet is a retweet: that its text begins with 'RT @' proves nothing. NULL: stored before that was
-- told apart.
ALTER TABLE tweets ADD COLUMN is_retweet boolean;

-- Whether any tweet has a place, entity, axis or data set is answered without reading all of them.
CREATE INDEX tweets_by_scope ON tweets USING gin (scopes);
