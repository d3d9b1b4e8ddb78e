"""The three clients that share one retry loop, each against one loopback server whose answers are scripted."""

from __future__ import annotations

import asyncio
import math
import time
import uuid
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

from aiohttp import web
from redis.asyncio import Redis

from castor_chassis import Peer, PeerPolicy
from castor_chassis.client.breaker import GatedBreaker
from openai_service.settings import ProviderSettings
from openai_service.upstreams.client import UpstreamClient, UpstreamOptions
from twitter_service.x.client import XClient, XPolicy
from twitter_service.x.rate_limits import XLimits
from twitter_service.x.span import Span

CHAT = {
    "id": "chatcmpl-1",
    "object": "chat.completion",
    "created": 1,
    "model": "m",
    "choices": [{"index": 0, "message": {"role": "assistant", "content": "si"}, "finish_reason": "stop"}],
    "usage": {"prompt_tokens": 1, "completion_tokens": 1, "total_tokens": 2},
}
ANSWERS = {"/v1/thing": {"ok": True, "data": 1}, "/chat/completions": CHAT, "/2/tweets/search/recent": {"data": []}}


@dataclass
class Server:
    """Answers what each protocol wants; ``script`` is played first: a status with headers, or ``"hang"``."""

    script: list[tuple[int, Mapping[str, str]] | str] = field(default_factory=list)
    requests: int = 0
    arrived: asyncio.Event = field(default_factory=asyncio.Event)
    url: str = ""

    def fail(self, times: int, *, retry_after: float | None = None) -> None:
        """Answer 503 to the next requests."""
        self.script += [(503, {} if retry_after is None else {"Retry-After": f"{retry_after:g}"})] * times

    def refuse(self, times: int) -> None:
        """Answer 400 to the next requests."""
        self.script += [(400, {})] * times

    def throttle(self, seconds: int) -> None:
        """Answer 429 to the next request, with the time to wait as each protocol writes it."""
        reset = math.ceil(time.time() + seconds)
        limits = {"x-rate-limit-limit": "9", "x-rate-limit-remaining": "0", "x-rate-limit-reset": str(reset)}
        self.script.append((429, {"Retry-After": str(seconds), **limits}))

    def hang(self, times: int) -> None:
        """Never answer the next requests."""
        self.script += ["hang"] * times

    @asynccontextmanager
    async def listening(self) -> AsyncIterator[Server]:
        """Serve on a free port."""
        app = web.Application()
        app.router.add_route("*", "/{path:.*}", self._answer)
        runner = web.AppRunner(app, shutdown_timeout=0.1, handler_cancellation=True)
        await runner.setup()
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        self.url = f"http://127.0.0.1:{runner.addresses[0][1]}"
        try:
            yield self
        finally:
            await runner.cleanup()

    async def _answer(self, request: web.Request) -> web.Response:
        await request.read()
        self.requests += 1
        self.arrived.set()
        step = self.script.pop(0) if self.script else (200, {})
        if isinstance(step, str):
            await asyncio.sleep(60)
            raise AssertionError("the caller should have gone away")
        status, headers = step
        return web.json_response(ANSWERS[request.path] if status == 200 else {}, status=status, headers=headers)


@dataclass(frozen=True)
class Caller:
    """One of the three: how it calls, and its breaker."""

    call: Callable[[], Awaitable[object]]
    breaker: GatedBreaker
    close: Callable[[], Awaitable[None]]


Policy = Mapping[str, Any]
"""``attempts``, ``timeout``, ``fail_max`` and ``reset`` (seconds)."""


def peer(server: Server, policy: Policy, _redis_url: str) -> Caller:
    """Return the client of another service."""
    limits = PeerPolicy(
        attempts=policy["attempts"],
        attempt_timeout_seconds=policy["timeout"],
        fail_max=policy["fail_max"],
        reset_seconds=policy["reset"],
    )
    client = Peer("thing-service", server.url, policy=limits)
    return Caller(lambda: client.get("/v1/thing"), client.breaker, client.close)


def language_model(server: Server, policy: Policy, _redis_url: str) -> Caller:
    """Return the client of a language model's API."""
    options = UpstreamOptions(
        provider=ProviderSettings(name="model", base_url=server.url),
        api_key="sk-none",
        timeout_seconds=policy["timeout"],
        attempts=policy["attempts"],
        fail_max=policy["fail_max"],
        reset_seconds=policy["reset"],
    )
    client = UpstreamClient(options)
    chat = client.outgoing_chat({"model": "m", "messages": [{"role": "user", "content": "¿si?"}]})
    return Caller(lambda: client.complete(chat), client.breaker, client.close)


def x(server: Server, policy: Policy, redis_url: str) -> Caller:
    """Return the client of X."""
    redis = Redis.from_url(redis_url)
    limits = XLimits(redis, account=uuid.uuid4().hex, max_in_flight=8, slot_seconds=20, margin_seconds=0.05)
    client = XClient(
        "key",
        limits,
        XPolicy(
            base_url=server.url,
            timeout_seconds=policy["timeout"],
            connections=8,
            attempts=policy["attempts"],
            fail_max=policy["fail_max"],
            reset_seconds=policy["reset"],
        ),
    )

    async def close() -> None:
        await client.close()
        await redis.aclose()

    return Caller(
        lambda: client.search("salud", Span(), None, size=10, archive=False, patience=30), client.breaker, close
    )


CALLERS = {"peer": peer, "language model": language_model, "X": x}
