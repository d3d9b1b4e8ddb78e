"""Metrics of twitter-service."""

from __future__ import annotations

from prometheus_client import Counter, Gauge

TWEETS = Counter("castor_twitter_import_tweets_total", "Tweets in imported files", ["outcome"])
PARSERS_LOST = Counter(
    "castor_twitter_import_parsers_lost_total",
    "Parser processes that died during an import",
)
SCORED = Counter("castor_twitter_scored_total", "Tweets whose sentiment was stored")
UNSCORABLE = Counter("castor_twitter_unscorable_total", "Tweets whose text sentiment-service refused")
TARGETED = Counter("castor_twitter_targeted_total", "Sentiments towards an entity, by their basis", ["basis"])
TARGETS_PENDING = Gauge(
    "castor_twitter_targets_pending",
    "Pairs of a tweet and an entity without a sentiment yet, at most 10^6",
)
REJUDGED = Counter(
    "castor_twitter_rejudged_total", "Answers collected under a new version of the sentiment model", ["of"]
)
REJUDGING = Gauge("castor_twitter_rejudging", "1 while everything is judged under a new version of the sentiment model")
PENDING = Gauge("castor_twitter_scores_pending", "Tweets without a sentiment yet")
SCORE_LAG = Gauge("castor_twitter_score_lag_seconds", "How long the oldest tweet without a sentiment is stored")
FEED_HEAD = Gauge("castor_twitter_feed_head", "Number of the latest change")
FEED_WAITERS = Gauge("castor_twitter_feed_waiters", "Long polls that wait for a change")
REMATCHED = Counter("castor_twitter_rematched_total", "Stored tweets whose entities changed")

X_REQUESTS = Counter("castor_twitter_x_requests_total", "Requests to X", ["endpoint", "outcome"])
X_REFUSED = Counter("castor_twitter_x_refused_total", "Requests that X answered with 429", ["endpoint"])
X_ALLOWANCE = Gauge("castor_twitter_x_allowance", "Requests that X still allows in the current window", ["endpoint"])
X_POSTS = Counter("castor_twitter_x_posts_total", "Posts read from X", ["purpose", "billed"])
X_DOLLARS = Counter("castor_twitter_x_dollars_total", "Dollars spent on X by the price table", ["purpose"])
X_SEARCHES = Counter("castor_twitter_x_searches_total", "Search jobs that ended", ["kind", "state"])
SEARCH_BEHIND = Gauge("castor_twitter_search_behind", "Changes that are not in the full-text index yet")
X_STREAM_CONNECTS = Counter("castor_twitter_x_stream_connects_total", "Connections to the filtered stream of X")
X_BUDGET_SPENT = Counter(
    "castor_twitter_x_budget_spent_total", "Search jobs and streams that the budget has stopped", ["purpose"]
)
X_STREAM_WANTED = Gauge("castor_twitter_x_stream_wanted", "1 while this replica should follow the stream")
X_STREAM_OPEN = Gauge("castor_twitter_x_stream_open", "1 while this replica follows the stream")
RETIRED = Counter("castor_twitter_retired_total", "Tweets erased by retention")
