"""Prometheus metrics of the chassis. The values of labels are route templates and fixed names, never user input."""

from __future__ import annotations

from prometheus_client import Counter, Gauge, Histogram

_LATENCY = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30)

REQUESTS = Histogram(
    "castor_http_request_duration_seconds",
    "Duration of requests by route, in seconds",
    ["method", "route", "status"],
    buckets=_LATENCY,
)
IN_FLIGHT = Gauge("castor_http_requests_in_flight", "Requests in flight")
SHED = Counter("castor_http_requests_shed_total", "Requests refused with 429 because too many were in flight")
RATE_LIMITED = Counter("castor_rate_limit_hits_total", "Requests refused with 429 by a rate limit", ["kind"])
RATE_LIMIT_ERRORS = Counter(
    "castor_rate_limit_errors_total", "Requests let through because Redis, which counts for the limits, did not answer"
)
AUTH_FAILURES = Counter("castor_auth_failures_total", "Requests refused for their credentials, by reason", ["reason"])
TLS_RELOADS = Counter("castor_tls_reloads_total", "Reloads of the certificate or the authorities", ["outcome"])
CERTIFICATE_END = Gauge(
    "castor_tls_certificate_not_after_seconds", "End of validity of the service's own certificate, Unix seconds"
)
CACHE = Counter("castor_cache_operations_total", "Cache look-ups: hit, miss or error", ["cache", "outcome"])

PEER_REQUESTS = Histogram(
    "castor_peer_request_duration_seconds",
    "Duration of attempts at peers, in seconds",
    ["peer", "outcome"],
    buckets=_LATENCY,
)
PEER_RETRIES = Counter("castor_peer_retries_total", "Attempts at peers after the first of a call", ["peer"])
PEER_REJECTED = Counter("castor_peer_rejected_total", "Calls of peers refused before sending", ["peer", "reason"])
BREAKER_STATE = Gauge("castor_breaker_state", "State of the circuit breaker: 0 closed, 1 half-open, 2 open", ["peer"])
BREAKER_TRANSITIONS = Counter(
    "castor_breaker_transitions_total", "Changes of the circuit breaker to a state", ["peer", "state"]
)

REVOCATION_SOURCE = Gauge(
    "castor_revocation_source", "1 for the current source of revocations: push, poll or none", ["source"]
)
REVOCATION_EPOCH = Gauge("castor_revocation_epoch", "Number of the last revocation that this process knows")
REVOCATIONS_HELD = Gauge("castor_revocations_held", "Ended sessions whose access tokens have not expired yet")
REVOCATION_OVERFLOWS = Counter(
    "castor_revocation_overflows_total", "Ended sessions replaced by an issued-before cut-off"
)
JWKS_FETCHES = Counter("castor_jwks_fetches_total", "Fetches of auth-service's key set", ["outcome"])
TOKEN_EXCHANGES = Counter(
    "castor_token_exchanges_total", "Users' tokens exchanged for one that a peer accepts, at auth-service", ["outcome"]
)
WORKER_RESTARTS = Counter("castor_worker_restarts_total", "Restarts of background tasks after a failure", ["worker"])
LEASE_HELD = Gauge("castor_lease_held", "1 while this replica holds the lease", ["lease"])
FEED_LAG = Gauge("castor_feed_lag_seconds", "Seconds since the follower last reached the end of its feed", ["feed"])
FEED_ITEMS = Counter("castor_feed_items_total", "Items of a feed that were stored", ["feed"])
DATABASE_ERRORS = Counter("castor_database_errors_total", "Statements that failed because PostgreSQL did not answer")
