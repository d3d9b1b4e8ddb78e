"""The one place that names the HTTP client library.

The API is httpx's (its maintained continuation, httpx2); the transport is aiohttp's, which halves
the CPU of a hop (docs/adr/0003).
"""

from __future__ import annotations

import ssl

import aiohttp
import httpx2 as httpx
from httpx_aiohttp.httpx2 import AiohttpTransport

__all__ = ["httpx", "new_client", "provably_unsent"]


def new_client(base_url: str, *, context: ssl.SSLContext | None, connections: int) -> httpx.AsyncClient:
    """Return a client with its own connection pool; make one per peer, never one per call.

    It has no timeout of its own: each caller bounds each attempt, and a long poll may take long.
    ``connections`` bounds the pool; idle connections live 60 s, less than our servers' keep-alive.
    """

    def session() -> aiohttp.ClientSession:
        connector = aiohttp.TCPConnector(
            ssl=context if context is not None else True, limit=connections, keepalive_timeout=60
        )
        return aiohttp.ClientSession(connector=connector, cookie_jar=aiohttp.DummyCookieJar())

    return httpx.AsyncClient(
        base_url=base_url,
        transport=AiohttpTransport(client=session),
        timeout=None,
        trust_env=False,
        follow_redirects=False,
    )


def provably_unsent(error: httpx.TransportError) -> bool:
    """True when no byte of the request can have reached the peer, so that even a POST may be repeated.

    The transport maps a server that hung up after reading the request to ``ConnectTimeout`` too, so
    the cause decides, not the mapped type.
    """
    return isinstance(error.__cause__, aiohttp.ClientConnectorError | aiohttp.ConnectionTimeoutError)
