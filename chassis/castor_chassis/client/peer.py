"""Calls to other services: retry, bulkhead, breaker, timeout, in this order from the outside in.

Retrying inside the breaker would put three attempts behind one counted failure: it opens later and
loads a dead peer several times as much (docs/adr/0004).
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from functools import partial
from typing import Any

import orjson
from opentelemetry import propagate, trace

from castor_chassis.client.retry import (
    IDEMPOTENT,
    RETRYABLE_STATUS,
    AttemptFailed,
    Retrier,
    RetryPolicy,
    retry_after_seconds,
)
from castor_chassis.client.transport import httpx, new_client, provably_unsent
from castor_chassis.context import current_request
from castor_chassis.metrics import PEER_REJECTED, PEER_REQUESTS, PEER_RETRIES
from castor_chassis.tls import TlsIdentity
from castor_chassis.wire.errors import PeerRejected, PeerTimeout, PeerUnavailable

TokenSource = Callable[[str, str], Awaitable[str]]
"""From a peer's name, and the token that it has just refused (empty: none), to our token for it."""
UserTokenSource = Callable[[str, str, str], Awaitable[str]]
"""From a user's token and the same two to the token that says to this peer on whose behalf we call."""
tracer = trace.get_tracer("castor.peers")


@dataclass(frozen=True, slots=True)
class PeerPolicy(RetryPolicy):
    """Attempts, time limits and bounds of the calls of one peer; ``ServiceSettings`` describes each."""

    max_connections: int = 64


@dataclass(frozen=True, slots=True)
class Reply:
    """A successful answer of a peer, without its envelope."""

    status: int
    data: Any
    meta: Mapping[str, Any]
    headers: Mapping[str, str]


class Peer:
    """A client of one service. One per process and peer; it owns the pool, the breaker and the budget."""

    def __init__(
        self,
        name: str,
        base_url: str,
        *,
        policy: PeerPolicy | None = None,
        tls: TlsIdentity | None = None,
        tokens: TokenSource | None = None,
        user_tokens: UserTokenSource | None = None,
    ) -> None:
        self.name = name
        self._base_url = base_url
        self._policy = policy or PeerPolicy()
        self._tls = tls
        self._tokens = tokens
        self._user_tokens = user_tokens
        self._client: httpx.AsyncClient | None = None
        self._retired: set[asyncio.Task[None]] = set()
        self._bulkhead = asyncio.Semaphore(self._policy.max_connections)
        self._retrier = Retrier(name, self._policy, on_retry=PEER_RETRIES.labels(name).inc)
        self.breaker = self._retrier.breaker
        if tls is not None:
            tls.on_change(self._renew_client)

    async def get(self, path: str, *, params: Mapping[str, Any] | None = None, **options: Any) -> Reply:
        """``request`` with GET."""
        return await self.request("GET", path, params=params, **options)

    async def post(self, path: str, *, json: Any = None, **options: Any) -> Reply:
        """``request`` with POST; pass ``idempotent=True`` when the peer may safely see it twice."""
        return await self.request("POST", path, json=json, **options)

    async def request(
        self,
        method: str,
        path: str,
        *,
        params: Mapping[str, Any] | None = None,
        json: Any = None,
        form: Mapping[str, str] | None = None,
        timeout_seconds: float | None = None,
        idempotent: bool | None = None,
    ) -> Reply:
        """Call the peer and open its envelope.

        Raises ``PeerUnavailable``, ``PeerTimeout``, ``PeerRejected`` (a 4xx: never retried, but a 401 once
        with other tokens) or ``DeadlineExceeded`` when the caller's own time is spent. A POST is repeated only
        when it is provably unsent, refused with 401, or ``idempotent``.
        """
        repeatable = method in IDEMPOTENT if idempotent is None else idempotent
        request = {"method": method, "url": path, "params": _without_none(params), "data": form}
        content = None if json is None else orjson.dumps(json)
        # Before the attempt: a token that is late or refused is auth-service's failure, not this peer's.
        tokens = await self._authorization({})
        call = partial(self._attempts, request, content, repeatable, timeout_seconds)
        try:
            return await call(tokens)
        except PeerRejected as error:
            renewed = await self._authorization(tokens) if error.peer_status == 401 else tokens
            if renewed == tokens:
                raise
        # It had no effect: a certificate was renewed, or a signing key leaked, between the token and the call.
        return await call(renewed)

    async def _attempts(
        self,
        request: dict[str, Any],
        content: bytes | None,
        repeatable: bool,
        timeout_seconds: float | None,
        tokens: dict[str, str],
    ) -> Reply:
        async def attempt(seconds: float) -> Reply:
            return self._opened(await self._observed(request, content, tokens, seconds, repeatable), repeatable)

        def late(seconds: float) -> AttemptFailed:
            error = PeerTimeout(peer=self.name, seconds=round(seconds, 3))
            return AttemptFailed(error, repeatable=repeatable)

        return await self._retrier.run(
            attempt, late=late, refused=self._refused, admit=self._admitted, timeout_seconds=timeout_seconds
        )

    async def _authorization(self, refused: Mapping[str, str]) -> dict[str, str]:
        """Return the headers with our own token, and the one for the user on whose behalf we call, if there is one.

        ``refused`` are the headers that the peer has just refused.
        """
        headers = {}
        if self._tokens is not None:
            own = await self._tokens(self.name, _token(refused, "Authorization"))
            headers["Authorization"] = f"Bearer {own}"
        info = current_request()
        if self._user_tokens is not None and info is not None and info.user_token is not None:
            exchanged = await self._user_tokens(info.user_token, self.name, _token(refused, "X-User-Authorization"))
            headers["X-User-Authorization"] = f"Bearer {exchanged}"
        return headers

    @asynccontextmanager
    async def _admitted(self) -> AsyncIterator[None]:
        if self._bulkhead.locked():
            PEER_REJECTED.labels(self.name, "bulkhead").inc()
            error = PeerUnavailable(peer=self.name, reason="too many calls in flight", retry_after_seconds=1)
            raise AttemptFailed(error, repeatable=True)
        async with self._bulkhead:
            yield

    def _refused(self, retry_after_seconds: float) -> PeerUnavailable:
        PEER_REJECTED.labels(self.name, "breaker_open").inc()
        reason = "circuit breaker open"
        return PeerUnavailable(peer=self.name, reason=reason, retry_after_seconds=retry_after_seconds)

    async def _observed(
        self, request: dict[str, Any], content: bytes | None, tokens: dict[str, str], seconds: float, repeatable: bool
    ) -> httpx.Response:
        started = time.perf_counter()
        outcome = "error"
        try:
            response = await self._send(request, content, tokens, seconds)
            outcome = f"{response.status_code // 100}xx"
            return response
        except asyncio.CancelledError:
            outcome = "timeout" if time.perf_counter() - started >= seconds else "cancelled"
            raise
        except httpx.TransportError as error:
            failure = PeerUnavailable(peer=self.name, reason=_reason(error), retry_after_seconds=1)
            raise AttemptFailed(failure, repeatable=repeatable or provably_unsent(error)) from error
        finally:
            PEER_REQUESTS.labels(self.name, outcome).observe(time.perf_counter() - started)

    async def _send(
        self, request: dict[str, Any], content: bytes | None, tokens: dict[str, str], seconds: float
    ) -> httpx.Response:
        with tracer.start_as_current_span(f"{request['method']} {self.name}", kind=trace.SpanKind.CLIENT) as span:
            headers = self._headers(seconds, content is not None) | tokens
            response = await self._current_client().request(**request, content=content, headers=headers)
            span.set_attribute("http.response.status_code", response.status_code)
            return response

    def _headers(self, seconds: float, has_json: bool) -> dict[str, str]:
        headers = {"X-Request-Timeout-Ms": str(max(1, int(seconds * 1000)))}
        propagate.inject(headers)
        if has_json:
            headers["Content-Type"] = "application/json"
        info = current_request()
        if info is not None:
            headers["X-Request-ID"] = info.request_id
        return headers

    def _opened(self, response: httpx.Response, repeatable: bool) -> Reply:
        body = _json(response)
        if response.status_code < 400:
            is_envelope = isinstance(body, dict) and body.get("ok") is True
            meta = (body.get("meta") or {}) if is_envelope else {}
            return Reply(response.status_code, body["data"] if is_envelope else body, meta, response.headers)
        text = str(body.get("error", "")) if isinstance(body, dict) else ""
        if response.status_code < 500 and response.status_code != 429:
            code = str(body.get("code", "")) if isinstance(body, dict) else ""
            rejected = PeerRejected(
                peer=self.name, peer_status=response.status_code, peer_error=text or "no reason given", peer_code=code
            )
            raise AttemptFailed(rejected, repeatable=False, outage=False)
        wait = retry_after_seconds(response.headers.get("retry-after"))
        reason = f"answered {response.status_code}" + (f": {text}" if text else "")
        failure = PeerUnavailable(peer=self.name, reason=reason, retry_after_seconds=wait or 1)
        may = response.status_code in RETRYABLE_STATUS and repeatable
        # A 429 is the answer of a peer that works and says when to come again: a breaker would keep its callers away
        # for much longer.
        outage = response.status_code != 429
        raise AttemptFailed(failure, repeatable=may, wait_seconds=wait, outage=outage)

    def _current_client(self) -> httpx.AsyncClient:
        if self._client is None:
            self._client = new_client(
                self._base_url,
                context=self._tls.client if self._tls else None,
                connections=self._policy.max_connections,
            )
        return self._client

    def _renew_client(self) -> None:
        # Calls in flight keep the old client until they end; new ones shake hands with the new certificate.
        if self._client is not None:
            task = asyncio.get_running_loop().create_task(_close_later(self._client))
            self._retired.add(task)
            task.add_done_callback(self._retired.discard)
            self._client = None

    async def close(self) -> None:
        """Close the connections; calls in flight fail."""
        for task in self._retired:
            task.cancel()
        if self._client is not None:
            await self._client.aclose()


async def _close_later(client: httpx.AsyncClient, seconds: float = 60) -> None:
    try:
        await asyncio.sleep(seconds)
    finally:
        await client.aclose()


def _token(headers: Mapping[str, str], name: str) -> str:
    return headers.get(name, "").removeprefix("Bearer ")


def _without_none(params: Mapping[str, Any] | None) -> dict[str, Any] | None:
    return None if params is None else {key: value for key, value in params.items() if value is not None}


def _reason(error: Exception) -> str:
    # In TLS 1.3 a client learns only at its first read that its certificate was refused.
    text = str(error) or type(error).__name__
    lost = "disconnected" in text.lower() or "reset" in text.lower()
    return f"{text} (was our certificate refused?)" if lost else text


def _json(response: httpx.Response) -> Any:
    try:
        return orjson.loads(response.content)
    except orjson.JSONDecodeError:
        return None
