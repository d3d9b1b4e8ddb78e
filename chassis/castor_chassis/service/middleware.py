"""What surrounds every request, in one plain ASGI layer: BaseHTTPMiddleware would cost 0.4 ms apiece."""

from __future__ import annotations

import asyncio
import math
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, MutableMapping
from contextlib import contextmanager
from typing import Any

import structlog
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from castor_chassis.client_address import TrustedProxies, limited_as, networks, originator
from castor_chassis.context import RequestInfo, acceptable_request_id, set_request
from castor_chassis.metrics import IN_FLIGHT, SHED
from castor_chassis.observability.http_metrics import NO_ANSWER, method_label, route_label
from castor_chassis.observability.logging import log_request
from castor_chassis.observability.tracing import continue_trace, current_trace_id, is_unrecorded, leave_trace
from castor_chassis.service.body import RequestBody
from castor_chassis.service.error_handlers import error_response
from castor_chassis.service.health import Health
from castor_chassis.settings import ServiceSettings
from castor_chassis.tls import is_service
from castor_chassis.wire.errors import DeadlineExceeded, Forbidden, Overloaded, ServiceError, Unauthenticated

log = structlog.get_logger("castor.http")
_SHARE_OUTSIDE = 0.75
"""Part of the places that callers from outside can take together; services always find the rest."""
_OPEN_PER_PLACE = 4
"""Requests per place that may be open while the beginning of their body is awaited."""
_LEAST_SECONDS = 1.0
"""Floor of the deadline that a caller from outside may set: less would only make calls of peers end unfinished."""
_SECURITY = (
    (b"x-content-type-options", b"nosniff"),
    (b"content-security-policy", b"default-src 'none'; frame-ancestors 'none'"),
    (b"x-frame-options", b"DENY"),
    (b"referrer-policy", b"no-referrer"),
)
"""Headers of every answer that does not set its own: nothing here is a page, or may be shown in one."""
_HTTPS_ONLY = (b"strict-transport-security", b"max-age=31536000")
"""Not in development: browsers would apply it to all that runs at localhost."""
Admission = Callable[[int], None]
"""Given the bytes that a POST announces (0: unknown), raises a ``ServiceError`` when it would be refused anyhow."""


class RequestLayer:
    """Correlation, load shedding, peer checks, deadline, body limit and the access log.

    A request takes one of ``max_concurrent_requests`` places when the beginning of its body has arrived, and its
    deadline begins then; until then only the rate of its body bounds it (``RequestBody``).

    ``slow_paths`` maps a path to the seconds it may take when the caller sets no deadline, ``admissions`` one to who
    decides whether a POST is worth reading: under overload a refusal must cost less than an answer. ``has_spans`` says
    that a layer outside makes server spans, of all requests but those whose caller decided not to record them.
    """

    def __init__(
        self,
        app: ASGIApp,
        *,
        settings: ServiceSettings,
        health: Health,
        slow_paths: dict[str, float] | None = None,
        admissions: Mapping[str, Admission] | None = None,
        has_spans: bool = False,
    ) -> None:
        self._app = app
        self._settings = settings
        self._health = health
        self._slow_paths = slow_paths or {}
        self._admissions = {} if admissions is None else admissions
        self._in_flight = 0
        self._open = 0
        self._bodies: Counter[str] = Counter()
        self._trusted = networks(settings.trusted_proxies)
        self._has_spans = has_spans
        IN_FLIGHT.set_function(lambda: self._in_flight)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        exchange = _Exchange(scope, receive, send, self._settings, self._health)
        traceparent = exchange.given.get("traceparent")
        has_span = self._has_spans and not is_unrecorded(traceparent)
        token = None if has_span else continue_trace(traceparent)
        set_request(exchange.info)
        exchange.info.address = exchange.address_outside(self._trusted)
        self._open += 1
        try:
            with self._own_bodies(exchange):
                await self._answer(exchange)
        finally:
            self._open -= 1
            exchange.record()
            if token is not None:
                leave_trace(token)
            set_request(None)

    @contextmanager
    def _own_bodies(self, exchange: _Exchange) -> Iterator[None]:
        """Count a request with a body towards those that its address, outside, has open."""
        address = exchange.info.address if exchange.has_body else None
        if address is None:
            yield
            return
        self._bodies[address] += 1
        try:
            yield
        finally:
            self._bodies[address] -= 1
            if not self._bodies[address]:
                del self._bodies[address]

    async def _answer(self, exchange: _Exchange) -> None:
        try:
            self._require_own_body(exchange)
            self._require_place(self._open, _OPEN_PER_PLACE, exchange)
            self._admit(exchange)
            await exchange.body.begin()
            self._require_place(self._in_flight + 1, 1, exchange)
            await self._in_place(exchange)
        except ServiceError as error:
            await exchange.fail(error)
        except Exception:
            log.exception("unhandled_error", route=exchange.route)
            await exchange.fail(ServiceError())

    async def _in_place(self, exchange: _Exchange) -> None:
        self._in_flight += 1
        try:
            await self._within(exchange.seconds_allowed(self._slow_paths), exchange)
        finally:
            self._in_flight -= 1

    def _require_own_body(self, exchange: _Exchange) -> None:
        """Raise ``Overloaded`` when one address outside has more bodies open than it may."""
        limit = self._settings.max_open_bodies_per_address
        if self._bodies.get(exchange.info.address or "", 0) > limit:
            SHED.inc()
            raise Overloaded(limit=limit, retry_after_seconds=1)

    def _require_place(self, taken: int, factor: int, exchange: _Exchange) -> None:
        """Raise ``Overloaded`` when more are taken than there are; callers from outside get a part of them."""
        limit = self._settings.max_concurrent_requests * factor
        if exchange.is_outside:
            limit = math.ceil(limit * _SHARE_OUTSIDE)
        if taken > limit:
            SHED.inc()
            raise Overloaded(limit=limit, retry_after_seconds=1)

    async def _within(self, seconds: float, exchange: _Exchange) -> None:
        exchange.info.deadline = asyncio.get_running_loop().time() + seconds
        try:
            async with asyncio.timeout(seconds) as limit:
                await self._app(exchange.scope, exchange.receive, exchange.send)
        except TimeoutError as error:
            if not limit.expired():
                raise
            raise DeadlineExceeded(seconds=round(seconds, 3)) from error

    def _admit(self, exchange: _Exchange) -> None:
        self._require_place(self._in_flight + 1, 1, exchange)
        peer = exchange.info.peer
        if peer is not None and time.time() > peer.not_after:
            exchange.close = True
            raise Unauthenticated(reason="The client certificate of this connection has expired")
        if exchange.scope["path"].startswith("/internal/") and peer is not None and not is_service(peer.service):
            raise Forbidden(reason="Paths under /internal are for services only")
        admission = self._admissions.get(exchange.scope["path"])
        if admission is not None and exchange.method == "POST":
            exchange.scope["castor_route"] = exchange.scope["path"]
            admission(exchange.announced_bytes)


class _Exchange:
    """One request and its answer."""

    __slots__ = (
        "_app_send", "_health", "_settings", "_started_at", "body", "close", "given", "has_body", "info",
        "receive", "scope", "started", "status",
    )  # fmt: skip

    def __init__(self, scope: Scope, receive: Receive, send: Send, settings: ServiceSettings, health: Health) -> None:
        self.scope = scope
        self._app_send = send
        self._settings = settings
        self._health = health
        self._started_at = time.perf_counter()
        self.started = False
        self.status = NO_ANSWER
        self.given = _wanted_headers(scope)
        self.has_body = self.given.get("content-length", "0") != "0" or "transfer-encoding" in self.given
        self.body = RequestBody(scope, receive, settings, has_body=self.has_body)
        self.receive = self.body.receive
        state: MutableMapping[str, Any] = scope.get("state", {})
        self.info = RequestInfo(acceptable_request_id(self.given.get("x-request-id")), peer=state.get("tls_peer"))
        age = time.monotonic() - state.get("connected_at", float("inf"))
        self.close = 0 < settings.connection_max_age_seconds < age < float("inf")

    @property
    def method(self) -> str:
        """Method, one word for all that HTTP does not know."""
        return method_label(self.scope["method"])

    @property
    def route(self) -> str:
        """Template of the matched route; one word for all paths that match none."""
        return route_label(self.scope)

    @property
    def is_outside(self) -> bool:
        """True for a caller that is not one of our services, over the ingress above all."""
        peer = self.info.peer
        return peer is not None and not is_service(peer.service)

    def address_outside(self, trusted: TrustedProxies) -> str | None:
        """Return what a caller from outside counts as in limits; None for one of our services, or without TLS."""
        if not self.is_outside:
            return None
        if self.info.peer is not None and self.info.peer.service == "ingress":
            lines = [value.decode("latin-1") for name, value in self.scope["headers"] if name == b"x-forwarded-for"]
            client = originator(lines, trusted)
            if client is not None:
                return client
        connected = self.scope.get("client")
        return limited_as(connected[0]) if connected else None

    @property
    def announced_bytes(self) -> int:
        """Length of the body as the caller says; 0 when it says none."""
        given = self.given.get("content-length", "")
        return int(given) if given.isascii() and given.isdigit() and len(given) < 16 else 0

    def seconds_allowed(self, slow_paths: dict[str, float]) -> float:
        """Return the lesser of what the caller grants (a floor outside) and what the service allows itself."""
        own = slow_paths.get(self.scope["path"], self._settings.request_timeout_seconds)
        given = self.given.get("x-request-timeout-ms")
        if given is None or not given.isascii() or not given.isdigit() or len(given) > 9:
            return own
        floor = _LEAST_SECONDS if self.is_outside else 0.0
        return min(own, max(floor, int(given) / 1000))

    async def send(self, message: Message) -> None:
        """Add our headers to the answer and note its status."""
        if message["type"] == "http.response.start":
            self.started = True
            self.status = message["status"]
            headers = message.setdefault("headers", [])
            headers.append((b"x-request-id", self.info.request_id.encode()))
            given = {name for name, _ in headers}
            headers.extend(header for header in _SECURITY if header[0] not in given)
            if not self._settings.development:
                headers.append(_HTTPS_ONLY)
            if self.close or self._health.draining:
                headers.append((b"connection", b"close"))
        await self._app_send(message)

    async def fail(self, error: ServiceError) -> None:
        """Answer with ``error`` unless an answer is on its way already."""
        if self.started:
            log.warning("answer_cut", route=self.route, code=error.code)
            raise error
        await error_response(error, self.info.request_id)(self.scope, self.receive, self.send)

    def record(self) -> None:
        """Write the access log line."""
        seconds = time.perf_counter() - self._started_at
        info = self.info
        peer = info.peer.service if info.peer else None
        trace_id = current_trace_id()
        log_request(self.method, self.route, self.status, seconds, peer, info.request_id, trace_id, info.principal)


_WANTED = {
    name.encode(): name
    for name in ("x-request-id", "x-request-timeout-ms", "traceparent", "content-length", "transfer-encoding")
}


def _wanted_headers(scope: Scope) -> dict[str, str]:
    return {_WANTED[name]: value.decode("latin-1") for name, value in scope["headers"] if name in _WANTED}
