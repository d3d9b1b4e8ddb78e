"""What the owner of trending-service pages on; the lag of the feed is castor_feed_lag_seconds{feed="tweets"}."""

from __future__ import annotations

from prometheus_client import Counter, Gauge, Histogram

STORED = Gauge("castor_trending_tweets", "Tweets stored")
CHANGES = Counter("castor_trending_changes_total", "Changes of tweets applied", ["change"])
TERMS = Counter("castor_trending_terms_total", "Terms stored")
QUERY_SECONDS = Histogram(
    "castor_trending_query_seconds",
    "Time to find topics, cache misses only",
    buckets=(0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10),
)
CANDIDATES = Histogram(
    "castor_trending_candidates", "Terms tested per answer", buckets=(10, 100, 500, 1000, 2500, 5000)
)
TOPICS = Histogram("castor_trending_topics", "Topics per answer", buckets=(0, 1, 2, 5, 10, 20, 50))
