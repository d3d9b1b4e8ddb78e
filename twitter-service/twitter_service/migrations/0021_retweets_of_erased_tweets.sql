-- With a tweet its retweets are erased, also those that were stored while their original was not known.
CREATE INDEX tweets_retweet_of ON tweets (retweet_of) WHERE retweet_of IS NOT NULL;
