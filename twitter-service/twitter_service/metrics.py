"""The numbers that the owner of twitter-service looks at."""

from __future__ import annotations

from prometheus_client import Counter, Gauge

TWEETS = Counter("castor_twitter_import_tweets_total", "Tweets in imported files", ["outcome"])
PARSERS_LOST = Counter(
    "castor_twitter_import_parsers_lost_total", "Processes that parsed an import and died; the service went on itself"
)
SCORED = Counter("castor_twitter_scored_total", "Tweets whose sentiment was stored")
UNSCORABLE = Counter("castor_twitter_unscorable_total", "Tweets that sentiment-service refused")
TARGETED = Counter("castor_twitter_targeted_total", "Tweets judged towards an entity, by what it rests on", ["basis"])
TARGETS_PENDING = Gauge("castor_twitter_targets_pending", "Tweets with entities that wait for it; at most a million")
PENDING = Gauge("castor_twitter_scores_pending", "Tweets that wait for their sentiment")
SCORE_LAG = Gauge("castor_twitter_score_lag_seconds", "How long the oldest of them has been stored")
FEED_HEAD = Gauge("castor_twitter_feed_head", "Number of the latest change")
FEED_WAITERS = Gauge("castor_twitter_feed_waiters", "Long polls that wait for news")
REMATCHED = Counter("castor_twitter_rematched_total", "Stored tweets whose entities changed")

X_REQUESTS = Counter("castor_twitter_x_requests_total", "Requests to X", ["endpoint", "outcome"])
X_REFUSED = Counter("castor_twitter_x_refused_total", "Requests that X answered with 429", ["endpoint"])
X_ALLOWANCE = Gauge("castor_twitter_x_allowance", "Requests that X still allows in this window", ["endpoint"])
X_POSTS = Counter("castor_twitter_x_posts_total", "Posts read from X", ["purpose", "billed"])
X_DOLLARS = Counter("castor_twitter_x_dollars_total", "What reading X has cost by the price table", ["purpose"])
X_SEARCHES = Counter("castor_twitter_x_searches_total", "Readings of X that ended", ["kind", "state"])
SEARCH_BEHIND = Gauge("castor_twitter_search_behind", "Changes that full-text search does not show yet")
X_STREAM_CONNECTS = Counter("castor_twitter_x_stream_connects_total", "Connections to the filtered stream of X")
X_BUDGET_SPENT = Counter(
    "castor_twitter_x_budget_spent_total", "Readings that the budget of X has stopped", ["purpose"]
)
X_STREAM_WANTED = Gauge("castor_twitter_x_stream_wanted", "1 while this replica is to follow the stream")
X_STREAM_OPEN = Gauge("castor_twitter_x_stream_open", "1 while this replica follows the stream")
RETIRED = Counter("castor_twitter_retired_total", "Tweets erased because they were too old")
