"""HTTP metrics of an API, observed by prometheus-fastapi-instrumentator under our names and labels."""

from __future__ import annotations

from functools import lru_cache

from fastapi import FastAPI
from prometheus_client import Histogram
from prometheus_fastapi_instrumentator.metrics import Info
from prometheus_fastapi_instrumentator.middleware import PrometheusInstrumentatorMiddleware
from starlette.requests import Request
from starlette.types import Scope

from castor_chassis.metrics import REQUESTS

_METHODS = frozenset({"GET", "POST", "PUT", "PATCH", "DELETE", "HEAD", "OPTIONS"})
NO_ANSWER = 499
"""Status of a request that ended without an answer, because the client went away or the server stopped."""


def measure_requests(app: FastAPI) -> None:
    """Observe every request in ``REQUESTS``; call after all other middleware is added, so that their answers count."""
    app.add_middleware(_Instrumentation, should_group_status_codes=False, instrumentations=[_observe])


class _Instrumentation(PrometheusInstrumentatorMiddleware):
    """The package's middleware, which ``Instrumentator().instrument(app)`` adds, without its search for the route."""

    def _get_handler(self, request: Request) -> tuple[str, bool]:  # noqa: ARG002
        # It would match every route once more than the router does: 26 us for the last of 32 routes. The router leaves
        # what it found in the scope.
        return "", True


def _observe(info: Info) -> None:
    # The package takes a request without an answer for a 500.
    answered = info.modified_duration_without_streaming > 0
    status = info.modified_status if answered else str(NO_ANSWER)
    _histogram(method_label(info.method), route_label(info.request.scope), status).observe(info.modified_duration)


def method_label(method: str) -> str:
    """Return ``method``; one word for all that HTTP does not know."""
    return method if method in _METHODS else "OTHER"


def route_label(scope: Scope) -> str:
    """Return the template of the route that was found, or named in ``castor_route``; one word for all other paths."""
    label: str = getattr(scope.get("route"), "path", "") or scope.get("castor_route", "unmatched")
    return label


@lru_cache(maxsize=4096)
def _histogram(method: str, route: str, status: str) -> Histogram:
    # Looking a child up by its labels takes a lock; the set of labels is small and fixed.
    return REQUESTS.labels(method, route, status)
