"""Metrics of trending-service; the chassis measures the lag of the feed, peers and requests."""

from __future__ import annotations

from prometheus_client import Counter, Gauge, Histogram

STORED = Gauge("castor_trending_tweets", "Tweets whose terms are stored")
CHANGES = Counter(
    "castor_trending_changes_total", "Changes of tweets stored, by kind: added, updated, deleted", ["change"]
)
TERMS = Counter("castor_trending_terms_total", "Terms of tweets stored")
QUERY_SECONDS = Histogram(
    "castor_trending_query_seconds",
    "Seconds to find the topics of one answer; answers from the cache are not counted",
    buckets=(0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10),
)
CANDIDATES = Histogram(
    "castor_trending_candidates", "Terms tested for one answer", buckets=(10, 100, 500, 1000, 2500, 5000)
)
TOPICS = Histogram("castor_trending_topics", "Topics found for one answer", buckets=(0, 1, 2, 5, 10, 20, 50))
DELIVERIES = Counter("castor_trending_deliveries_total", "Webhook messages sent, by outcome", ["outcome"])
NOT_LOOKED = Counter("castor_trending_scopes_not_looked_total", "Looks at the stream or a watched scope that failed")
ANALYSES = Counter(
    "castor_trending_analyses_total", "Analyses of trends by outcome: stored, withdrawn, refused", ["outcome"]
)
ANALYSES_WAITING = Gauge("castor_trending_analyses_waiting", "Analyses of trends that rag-service does not have yet")
EVENTS = Counter("castor_trending_events_total", "Starts, peaks and ends of trends, and events of watches", ["kind"])
