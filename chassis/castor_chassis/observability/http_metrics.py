"""HTTP metrics of an API, observed by prometheus-fastapi-instrumentator under our names and labels."""

from __future__ import annotations

from functools import lru_cache

from fastapi import FastAPI
from prometheus_client import Histogram
from prometheus_fastapi_instrumentator import Instrumentator
from prometheus_fastapi_instrumentator.metrics import Info

from castor_chassis.metrics import REQUESTS

_METHODS = frozenset({"GET", "POST", "PUT", "PATCH", "DELETE", "HEAD", "OPTIONS"})
NO_ANSWER = 499
"""Status of a request that ended without an answer, because the client went away or the server stopped."""


def measure_requests(app: FastAPI) -> None:
    """Observe every request in ``REQUESTS``; call after all other middleware is added, so that their answers count."""
    Instrumentator(should_group_status_codes=False).add(_observe).instrument(app)


def _observe(info: Info) -> None:
    # The instrumentator takes a request without an answer for a 500, and calls paths without a route "none".
    answered = info.modified_duration_without_streaming > 0
    status = info.modified_status if answered else str(NO_ANSWER)
    route = "unmatched" if info.modified_handler == "none" else info.modified_handler
    _histogram(method_label(info.method), route, status).observe(info.modified_duration)


def method_label(method: str) -> str:
    """Return ``method``; one word for all that HTTP does not know."""
    return method if method in _METHODS else "OTHER"


@lru_cache(maxsize=4096)
def _histogram(method: str, route: str, status: str) -> Histogram:
    # Looking a child up by its labels takes a lock; the set of labels is small and fixed.
    return REQUESTS.labels(method, route, status)
