"""Prometheus metrics of auth-service."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from prometheus_client import Counter, Gauge, Histogram

from auth_service.errors import OAuthError
from castor_chassis import ServiceError

ATTEMPTS = Counter("castor_auth_attempts_total", "Authentication attempts", ["result", "method"])
DURATION = Histogram("castor_auth_duration_seconds", "Duration of authentication attempts", ["method"])
AUDIT_EVENTS = Counter("castor_audit_events_total", "Security events recorded", ["event"])
AUDIT_LOST = Counter("castor_audit_lost_total", "Security events only logged because PostgreSQL was away", ["event"])
REFRESH_REPLAYS = Counter(
    "castor_auth_refresh_replays_total", "Repeated refreshes that got the same successor, within the replay window"
)
REVOCATION_PUBLISH_ERRORS = Counter(
    "castor_revocation_publish_errors_total", "Revocation epochs that could not be published in Redis"
)
PASSWORD_QUEUE = Gauge("castor_auth_password_queue", "Passwords being hashed or waiting")
NOTIFICATIONS = Counter("castor_auth_notifications_total", "Mails to account holders", ["kind", "result"])
OUTBOX = Gauge("castor_auth_outbox", "Mails waiting to be sent")
THROTTLED = Counter("castor_auth_throttled_total", "Attempts refused by the back-off after failures", ["bucket"])
THROTTLE_LOCAL = Counter("castor_auth_throttle_local_total", "Back-off decisions of one replica alone, without Redis")
STUFFING = Counter("castor_auth_stuffing_total", "Failed logins that look like credential stuffing", ["kind"])
SIGNING_KEYS = Gauge("castor_auth_signing_keys", "Signing keys in memory")


@dataclass
class Outcome:
    """How an attempt ended."""

    result: str = "ok"


@contextmanager
def attempt(method: str) -> Iterator[Outcome]:
    """Count what happens inside as one attempt of ``method``; its result is ``ok`` or the error's code.

    Where a refusal is no error, set ``result`` of what is yielded.
    """
    started = time.perf_counter()
    outcome = Outcome()
    try:
        yield outcome
    except (ServiceError, OAuthError) as error:
        outcome.result = error.code
        raise
    except BaseException:
        outcome.result = "failed"
        raise
    finally:
        ATTEMPTS.labels(outcome.result, method).inc()
        DURATION.labels(method).observe(time.perf_counter() - started)
