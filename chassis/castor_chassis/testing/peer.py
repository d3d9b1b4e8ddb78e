"""A peer that can be slow, dead, wrong or overloaded, on a real mTLS port."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, field
from typing import Any

from aiohttp import web

from castor_chassis.tls import TlsFiles

Answer = tuple[int, Any, dict[str, str]]


@contextmanager
def reserved_port() -> Iterator[int]:
    """Yield a port of 127.0.0.1 that refuses connections until ``ScriptedPeer.listening`` takes it.

    It stays bound to the end of the block, so no other process is given it in the meantime.
    """
    with socket.socket() as reserved:
        reserved.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
        reserved.bind(("127.0.0.1", 0))
        yield int(reserved.getsockname()[1])


@dataclass
class Call:
    """One request as the peer saw it."""

    method: str
    path: str
    headers: dict[str, str]
    query: dict[str, str]
    body: Any


@dataclass
class ScriptedPeer:
    """Answers each path from ``routes``; ``script`` is played before, one entry a request.

    An entry of the script is an answer (status, JSON, headers), a number of seconds to stall before the
    usual answer, or ``"hang up"``: close the connection after the request was read, without an answer.
    Requests of a path in ``gates`` wait until its event is set.
    """

    routes: dict[str, Callable[[Call], Answer]] = field(default_factory=dict)
    script: list[Answer | float | str] = field(default_factory=list)
    gates: dict[str, asyncio.Event] = field(default_factory=dict)
    calls: list[Call] = field(default_factory=list)
    delay_seconds: float = 0.0
    url: str = ""

    def reply(self, path: str, data: Any, **meta: Any) -> None:
        """Answer ``path`` with our envelope around ``data``."""
        self.routes[path] = lambda _call: (200, {"ok": True, "data": data, "meta": meta or None}, {})

    @asynccontextmanager
    async def listening(self, files: TlsFiles, port: int = 0) -> AsyncIterator[ScriptedPeer]:
        """Serve until the block ends, on ``port`` (from ``reserved_port``) or a free one."""
        app = web.Application()
        app.router.add_route("*", "/{path:.*}", self._handle)
        runner = web.AppRunner(app, shutdown_timeout=0.1)
        await runner.setup()
        site = web.TCPSite(runner, "127.0.0.1", port, ssl_context=files.server_context(), reuse_port=True)
        await site.start()
        self.url = f"https://127.0.0.1:{runner.addresses[0][1]}"
        try:
            yield self
        finally:
            await runner.cleanup()

    async def _handle(self, request: web.Request) -> web.Response:
        body = await request.read()
        headers = {name.lower(): value for name, value in request.headers.items()}
        call = Call(request.method, request.path, headers, dict(request.query), body)
        self.calls.append(call)
        if (gate := self.gates.get(request.path)) is not None:
            await gate.wait()
        await asyncio.sleep(self.delay_seconds)
        step = self.script.pop(0) if self.script else 0.0
        if step == "hang up":
            assert request.transport is not None
            request.transport.close()
            return web.Response()
        if isinstance(step, tuple):
            return _response(step)
        await asyncio.sleep(float(step))
        answer = self.routes.get(request.path)
        if answer is None:
            return _response((404, {"ok": False, "error": "nothing here", "code": "not_found"}, {}))
        return _response(answer(call))


def _response(answer: Answer) -> web.Response:
    status, body, headers = answer
    return web.json_response(body, status=status, headers=headers)
