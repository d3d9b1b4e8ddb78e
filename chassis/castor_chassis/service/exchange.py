"""One request and its answer, as the layer around every request sees them."""

from __future__ import annotations

import time
from collections.abc import MutableMapping
from typing import Any

import structlog
from starlette.datastructures import MutableHeaders
from starlette.types import Message, Receive, Scope, Send

from castor_chassis.client_address import TrustedProxies, limited_as, originator
from castor_chassis.context import RequestInfo, acceptable_request_id
from castor_chassis.observability.http_metrics import NO_ANSWER, method_label, route_label
from castor_chassis.observability.logging import log_request
from castor_chassis.observability.tracing import current_trace_id
from castor_chassis.service.answer_headers import compress, is_whole_json, locate, tag
from castor_chassis.service.body import RequestBody
from castor_chassis.service.error_handlers import error_response
from castor_chassis.service.health import Health
from castor_chassis.settings import ServiceSettings
from castor_chassis.tls import is_service
from castor_chassis.wire.errors import (
    RateLimited,
    ServiceError,
)

log = structlog.get_logger("castor.http")
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


class Exchange:
    """One request and its answer."""

    __slots__ = (
        "_app_send", "_head", "_health", "_held", "_settings", "_started_at", "body", "close", "given", "has_body",
        "info", "receive", "scope", "started", "status",
    )  # fmt: skip

    def __init__(self, scope: Scope, receive: Receive, send: Send, settings: ServiceSettings, health: Health) -> None:
        self.scope = scope
        self._app_send = send
        self._settings = settings
        self._health = health
        self._started_at = time.perf_counter()
        self.started = False
        self.status = NO_ANSWER
        self._held: Message | None = None
        self._head = scope["method"] == "HEAD"
        if self._head:
            scope["method"] = "GET"  # routes know no HEAD; the server leaves the body out once it is HEAD again
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
        return "HEAD" if self._head else method_label(self.scope["method"])

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
    def _is_between_services(self) -> bool:
        return self.info.peer is not None and not self.is_outside

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
            self._begin(message)
            if self._waits_for_body(message):
                self._held = message
                return
        elif self._held is not None:
            start, self._held = self._held, None
            if not await self._settled(start, message):
                return
            message = self._completed(start, message)
            await self._app_send(start)
        await self._app_send(message)

    async def _settled(self, start: Message, end: Message) -> bool:
        """Keep the answer of a request with an Idempotency-Key; False where that fails and another answer was sent."""
        claim, self.info.claim = self.info.claim, None
        if claim is None:
            return True
        try:
            await claim.settle(self.status, MutableHeaders(raw=start["headers"]).get("cache-control"), end["body"])
        except ServiceError as error:
            self.started = False
            await self.fail(error)
            return False
        return True

    def _begin(self, start: Message) -> None:
        self.started = True
        self.status = start["status"]
        headers = start.setdefault("headers", [])
        headers.append((b"x-request-id", self.info.request_id.encode()))
        given = {name for name, _ in headers}
        headers.extend(header for header in _SECURITY if header[0] not in given)
        if not self._settings.development:
            headers.append(_HTTPS_ONLY)
        if self.status != RateLimited.status:
            headers += [(name.lower().encode(), value.encode()) for name, value in self.info.rate_limit.items()]
        if self.close or self._health.draining:
            headers.append((b"connection", b"close"))
        if self._head:
            self.scope["method"] = "HEAD"

    def _waits_for_body(self, start: Message) -> bool:
        """Return whether headers of the answer follow from its body; services among themselves keep no answers."""
        if self.info.claim is not None:
            return True
        is_for_outside = self.status == 200 and not self._is_between_services
        return (is_for_outside or self.status == 201) and is_whole_json(start)

    def _completed(self, start: Message, end: Message) -> Message:
        body = end.get("body", b"")
        if end.get("more_body"):
            return end
        if self.status == 201 and is_whole_json(start):
            locate(start, body, self.scope)
        if self.method in ("GET", "HEAD"):
            body = tag(start, body, self.given.get("if-none-match", ""))
            self.status = start["status"]
        if not self._is_between_services:
            body = compress(start, body, self.given.get("accept-encoding", ""), self._settings.compress_min_bytes)
        return {**end, "body": body}

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


_READ = (
    "x-request-id", "x-request-timeout-ms", "traceparent", "content-length", "transfer-encoding", "if-none-match",
    "accept-encoding",
)  # fmt: skip
_WANTED = {name.encode(): name for name in _READ}


def _wanted_headers(scope: Scope) -> dict[str, str]:
    return {_WANTED[name]: value.decode("latin-1") for name, value in scope["headers"] if name in _WANTED}
