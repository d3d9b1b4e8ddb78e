"""The numbers that the owner of twitter-service looks at."""

from __future__ import annotations

from prometheus_client import Counter, Gauge

TWEETS = Counter("castor_twitter_import_tweets_total", "Tweets in imported files", ["outcome"])
SCORED = Counter("castor_twitter_scored_total", "Tweets whose sentiment was stored")
UNSCORABLE = Counter("castor_twitter_unscorable_total", "Tweets that sentiment-service refused")
PENDING = Gauge("castor_twitter_scores_pending", "Tweets that wait for their sentiment")
SCORE_LAG = Gauge("castor_twitter_score_lag_seconds", "How long the oldest of them has been stored")
FEED_HEAD = Gauge("castor_twitter_feed_head", "Number of the latest change")
FEED_WAITERS = Gauge("castor_twitter_feed_waiters", "Long polls that wait for news")
REMATCHED = Counter("castor_twitter_rematched_total", "Stored tweets whose entities changed")
