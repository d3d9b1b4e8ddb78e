"""The client: connections that each wait for their answer, and what was measured of a server."""

from __future__ import annotations

import asyncio
import ssl
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from functools import partial
from multiprocessing.connection import Connection
from typing import Any

import orjson

CONNECTIONS = 16


Next = Callable[[bytes], bytes | None]
"""From an answer (empty at first) to the next request; None: that was enough."""


class _Connection(asyncio.Protocol):
    """One client connection: sends the next request when the answer to the last is whole."""

    def __init__(self, following: Next) -> None:
        self._following = following
        self._buffer = b""
        self._usual = 0
        self.over: asyncio.Future[None] = asyncio.get_running_loop().create_future()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport: Any = transport
        self._continue(b"")

    def data_received(self, data: bytes) -> None:
        if len(data) == self._usual and not self._buffer:
            self._continue(data)
            return
        self._buffer += data
        head, found, body = self._buffer.partition(b"\r\n\r\n")
        if not found:
            return
        length = int(head[head.lower().index(b"content-length:") + 15 :].split(b"\r\n", 1)[0])
        if len(body) >= length:
            self._usual, self._buffer = len(self._buffer), b""
            self._continue(head + body)

    def _continue(self, answer: bytes) -> None:
        request = self._following(answer)
        if request is not None:
            self._transport.write(request)
        elif not self.over.done():
            self.over.set_result(None)
            self._transport.close()

    def connection_lost(self, _error: Exception | None) -> None:
        if not self.over.done():
            self.over.set_exception(ConnectionError("the server hung up"))


def post(path: str, body: Any) -> bytes:
    """Return the bytes of a request."""
    content = orjson.dumps(body)
    head = f"POST {path} HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/json\r\n"
    return f"{head}content-length: {len(content)}\r\n\r\n".encode() + content


@dataclass
class Contestant:
    """A server process, and what was measured of it."""

    name: str
    port: int
    pipe: Connection
    process: Any
    rates: list[float] = field(default_factory=list)
    cpu: list[float] = field(default_factory=list)

    def cpu_seconds(self) -> float:
        """Return the CPU time of the process so far."""
        self.pipe.send("cpu")
        return float(self.pipe.recv())

    async def run(self, tls: ssl.SSLContext, seconds: float, mark: bytes, *following: Next) -> None:
        """Load it for some seconds, one connection for each of ``following``; every answer must hold ``mark``."""
        done, end = 0, time.perf_counter() + seconds

        def counted(following: Next, answer: bytes) -> bytes | None:
            nonlocal done
            if answer:
                assert mark in answer, answer[:500]
                done += 1
            return following(answer) if time.perf_counter() < end else None

        cpu, started = self.cpu_seconds(), time.perf_counter()
        made = [self._connect(tls, partial(counted, each)) for each in following]
        await asyncio.gather(*(protocol.over for _, protocol in await asyncio.gather(*made)))
        self.rates.append(done / (time.perf_counter() - started))
        self.cpu.append((self.cpu_seconds() - cpu) / done * 1e6)

    def _connect(self, tls: ssl.SSLContext, following: Next) -> Any:
        loop = asyncio.get_running_loop()
        return loop.create_connection(
            lambda: _Connection(following), "127.0.0.1", self.port, ssl=tls, server_hostname="localhost"
        )


def of(requests: Iterator[bytes]) -> list[Next]:
    """Return what makes all connections share ``requests``."""
    return [lambda _answer: next(requests, None)] * CONNECTIONS
