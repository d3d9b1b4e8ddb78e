"""What surrounds every request, in one plain ASGI layer: BaseHTTPMiddleware would cost 0.4 ms apiece."""

from __future__ import annotations

import asyncio
import math
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager

import structlog
from starlette.types import ASGIApp, Receive, Scope, Send

from castor_chassis.client_address import networks
from castor_chassis.context import set_request
from castor_chassis.metrics import IN_FLIGHT, SHED
from castor_chassis.observability.tracing import continue_trace, is_unrecorded, leave_trace
from castor_chassis.service.exchange import Exchange
from castor_chassis.service.health import Health
from castor_chassis.settings import ServiceSettings
from castor_chassis.tls import is_service
from castor_chassis.wire.errors import (
    DeadlineExceeded,
    Forbidden,
    Overloaded,
    ServiceError,
    Unauthenticated,
)

log = structlog.get_logger("castor.http")
_SHARE_OUTSIDE = 0.75
"""Part of the places that callers from outside can take together; services always find the rest."""
_OPEN_PER_PLACE = 4
"""Requests per place that may be open while the beginning of their body is awaited."""
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
        exchange = Exchange(scope, receive, send, self._settings, self._health)
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
            if exchange.info.give_back is not None:
                exchange.info.give_back()
            if exchange.info.claim is not None:
                await exchange.info.claim.release()
            exchange.record()
            if token is not None:
                leave_trace(token)
            set_request(None)

    @contextmanager
    def _own_bodies(self, exchange: Exchange) -> Iterator[None]:
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

    async def _answer(self, exchange: Exchange) -> None:
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

    async def _in_place(self, exchange: Exchange) -> None:
        self._in_flight += 1
        try:
            await self._within(exchange.seconds_allowed(self._slow_paths), exchange)
        finally:
            self._in_flight -= 1

    def _require_own_body(self, exchange: Exchange) -> None:
        """Raise ``Overloaded`` when one address outside has more bodies open than it may."""
        limit = self._settings.max_open_bodies_per_address
        if self._bodies.get(exchange.info.address or "", 0) > limit:
            SHED.inc()
            raise Overloaded(limit=limit, retry_after_seconds=1)

    def _require_place(self, taken: int, factor: int, exchange: Exchange) -> None:
        """Raise ``Overloaded`` when more are taken than there are; callers from outside get a part of them."""
        limit = self._settings.max_concurrent_requests * factor
        if exchange.is_outside:
            limit = math.ceil(limit * _SHARE_OUTSIDE)
        if taken > limit:
            SHED.inc()
            raise Overloaded(limit=limit, retry_after_seconds=1)

    async def _within(self, seconds: float, exchange: Exchange) -> None:
        exchange.info.deadline = asyncio.get_running_loop().time() + seconds
        try:
            async with asyncio.timeout(seconds) as limit:
                await self._app(exchange.scope, exchange.receive, exchange.send)
        except TimeoutError as error:
            if not limit.expired():
                raise
            raise DeadlineExceeded(seconds=round(seconds, 3)) from error

    def _admit(self, exchange: Exchange) -> None:
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
