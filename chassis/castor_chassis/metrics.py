"""Prometheus metrics of the chassis. Labels are route templates and names, never user input."""

from __future__ import annotations

from prometheus_client import Counter, Gauge, Histogram

_LATENCY = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30)

REQUESTS = Histogram(
    "castor_http_request_duration_seconds", "Requests by route", ["method", "route", "status"], buckets=_LATENCY
)
IN_FLIGHT = Gauge("castor_http_requests_in_flight", "Requests being answered")
SHED = Counter("castor_http_requests_shed_total", "Requests refused because the service was full")
RATE_LIMITED = Counter("castor_rate_limit_hits_total", "Requests refused by rate limit", ["kind"])
RATE_LIMIT_ERRORS = Counter("castor_rate_limit_errors_total", "Limits not applied because Redis was away")
AUTH_FAILURES = Counter("castor_auth_failures_total", "Requests without valid authorisation", ["reason"])
TLS_RELOADS = Counter("castor_tls_reloads_total", "Renewals of certificate or authorities", ["outcome"])
CERTIFICATE_END = Gauge("castor_tls_certificate_not_after_seconds", "End of our certificate, Unix time")
CACHE = Counter("castor_cache_operations_total", "Cache look-ups", ["cache", "outcome"])

PEER_REQUESTS = Histogram(
    "castor_peer_request_duration_seconds", "Attempts at peers", ["peer", "outcome"], buckets=_LATENCY
)
PEER_RETRIES = Counter("castor_peer_retries_total", "Attempts after the first", ["peer"])
PEER_REJECTED = Counter("castor_peer_rejected_total", "Calls refused before sending", ["peer", "reason"])
BREAKER_STATE = Gauge("castor_breaker_state", "0 closed, 1 half-open, 2 open", ["peer"])
BREAKER_TRANSITIONS = Counter("castor_breaker_transitions_total", "Changes of breaker state", ["peer", "state"])

REVOCATION_SOURCE = Gauge("castor_revocation_source", "1 for where revocations come from: push, poll, none", ["source"])
REVOCATION_EPOCH = Gauge("castor_revocation_epoch", "Number of the last revocation known here")
REVOCATIONS_HELD = Gauge("castor_revocations_held", "Ended sessions whose tokens would still be valid")
REVOCATION_OVERFLOWS = Counter("castor_revocation_overflows_total", "Ended sessions replaced by a line in time")
JWKS_FETCHES = Counter("castor_jwks_fetches_total", "Fetches of the key set", ["outcome"])
WORKER_RESTARTS = Counter("castor_worker_restarts_total", "Background tasks restarted after a failure", ["worker"])
LEASE_HELD = Gauge("castor_lease_held", "1 while this replica does the work", ["lease"])
FEED_LAG = Gauge("castor_feed_lag_seconds", "Time since the follower last reached the end of its feed", ["feed"])
FEED_ITEMS = Counter("castor_feed_items_total", "Items taken from a feed", ["feed"])
DATABASE_ERRORS = Counter("castor_database_errors_total", "Statements that failed because PostgreSQL was away")
