"""Prometheus metrics of auth-service."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from prometheus_client import Counter, Gauge, Histogram

from auth_service.errors import OAuthError
from castor_chassis import ServiceError

ATTEMPTS = Counter("castor_auth_attempts_total", "Attempts to prove who one is", ["result", "method"])
DURATION = Histogram("castor_auth_duration_seconds", "Time that an attempt took", ["method"])
AUDIT_EVENTS = Counter("castor_audit_events_total", "Security events recorded", ["event"])
AUDIT_LOST = Counter("castor_audit_lost_total", "Security events only logged, PostgreSQL being away", ["event"])
REFRESH_REPLAYS = Counter("castor_auth_refresh_replays_total", "Refreshes answered again within the replay window")
BELL_ERRORS = Counter("castor_revocation_bell_errors_total", "Epochs that Redis did not take; services ask instead")
PASSWORD_QUEUE = Gauge("castor_auth_password_queue", "Password hashes being computed or waiting")
NOTIFICATIONS = Counter("castor_auth_notifications_total", "Messages to people", ["kind", "result"])
OUTBOX = Gauge("castor_auth_outbox", "Messages that wait to be sent")
THROTTLED = Counter("castor_auth_throttled_total", "Attempts refused because too many had failed", ["bucket"])
THROTTLE_LOCAL = Counter("castor_auth_throttle_local_total", "Throttle decisions made without Redis, per replica")
STUFFING = Counter("castor_auth_stuffing_total", "Failed logins that look like credential stuffing", ["kind"])
SIGNING_KEYS = Gauge("castor_auth_signing_keys", "Signing keys in memory")


@dataclass
class Outcome:
    """How an attempt ended."""

    result: str = "ok"


@contextmanager
def attempt(method: str) -> Iterator[Outcome]:
    """Count what happens inside as one attempt of ``method``; its result is ``ok`` or the error's code.

    Where a refusal is an answer and no error, set ``result`` of what is yielded.
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
