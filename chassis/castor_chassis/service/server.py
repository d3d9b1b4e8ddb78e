"""Two servers in one process: the mTLS API, and plain health and metrics on the management port.

kubelet cannot present a client certificate, and a port where certificates are optional is one forgotten
route away from being open; a second port needs neither (docs/adr/0005).
"""

from __future__ import annotations

import asyncio
import contextlib
import signal
import ssl
import time
from collections.abc import Iterator
from typing import Any, cast

import orjson
import structlog
import uvicorn
import uvloop
from fastapi import FastAPI
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from castor_chassis.service.app import Chassis
from castor_chassis.service.gc_freeze import freeze_startup
from castor_chassis.settings import ServiceSettings
from castor_chassis.tls import PeerIdentity, peer_identity

log = structlog.get_logger("castor.server")


class PeerAwareProtocol(HttpToolsProtocol):
    """Reads the identity of the client's certificate once per connection and puts it into the ASGI state."""

    peer: PeerIdentity | None = None
    """Identity of the client; None on a connection without TLS."""

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Put the client's identity and the time of connecting into the ASGI state."""
        super().connection_made(transport)
        tls: ssl.SSLObject | None = transport.get_extra_info("ssl_object")
        self.peer = peer_identity(tls) if tls is not None else None
        self.app_state = {**self.app_state, "tls_peer": self.peer, "connected_at": time.monotonic()}


class _Server(uvicorn.Server):
    """A uvicorn server that handles no signals."""

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Capture no signals: ``ServicePair`` stops its servers in order."""
        yield

    @property
    def port(self) -> int:
        """The port in use, also where the settings say 0."""
        return int(self.servers[0].sockets[0].getsockname()[1])


def management_app(chassis: Chassis) -> Starlette:
    """Return the plain app of the management port: liveness, readiness, metrics, nothing else."""

    async def live(_request: Request) -> Response:
        return _json({"status": "live", "service": chassis.settings.service_name})

    async def ready(_request: Request) -> Response:
        is_ready, parts = await chassis.health.report()
        configured = chassis.settings.configured()
        body = {"status": "ready" if is_ready else "not_ready", "checks": parts, "configured": configured}
        return _json(body) if is_ready else _json(body, 503)

    async def metrics(_request: Request) -> Response:
        return Response(generate_latest(), media_type=CONTENT_TYPE_LATEST)

    return Starlette(routes=[Route("/health/live", live), Route("/health/ready", ready), Route("/metrics", metrics)])


def _json(body: dict[str, Any], status: int = 200) -> Response:
    headers = {"Retry-After": "1"} if status == 503 else None
    return Response(orjson.dumps(body), status, headers, media_type="application/json")


class ServicePair:
    """The API server and the management server of one app."""

    def __init__(self, app: FastAPI, settings: ServiceSettings) -> None:
        self.chassis: Chassis = app.state.chassis
        self._settings = settings
        self.api = _Server(_api_config(app, self.chassis, settings))
        self.management = _Server(
            uvicorn.Config(
                management_app(self.chassis),
                host=settings.management_host,
                port=settings.management_port,
                lifespan="off",
                log_config=None,
                access_log=False,
            )
        )
        self._stop = asyncio.Event()

    def stop(self) -> None:
        """Begin the drain sequence; safe to call twice."""
        self._stop.set()

    async def started(self) -> None:
        """Wait until both ports listen."""
        while not (self.api.started and self.management.started):  # noqa: ASYNC110 - uvicorn offers no event
            await asyncio.sleep(0.01)

    async def freeze_startup(self) -> None:
        """Run ``gc_freeze.freeze_startup``; for a process that serves this pair alone."""
        await self.started()
        await freeze_startup(self.chassis.health)

    async def run(self) -> int:
        """Serve until stopped; returns the exit code: 0 after a drain, 1 when a server ended by itself.

        Drain: not ready, then wait for load balancers, then stop accepting and finish what is in flight,
        then end the background work, and the management port last.
        """
        servers = [asyncio.ensure_future(server.serve()) for server in (self.api, self.management)]
        stop = asyncio.ensure_future(self._stop.wait())
        await asyncio.wait([*servers, stop], return_when=asyncio.FIRST_COMPLETED)
        code = 0 if self._stop.is_set() else 1
        if code == 0:
            self.chassis.health.draining = True
            log.info("draining", delay_seconds=self._settings.drain_delay_seconds)
            await asyncio.sleep(self._settings.drain_delay_seconds)
        self.api.should_exit = True
        hanging_up = asyncio.ensure_future(_hang_up_on_idle(self.api))
        await asyncio.wait([servers[0]])
        hanging_up.cancel()
        self.management.should_exit = True
        await asyncio.gather(*servers, return_exceptions=True)
        stop.cancel()
        log.info("stopped", exit_code=code)
        return code


async def _hang_up_on_idle(server: uvicorn.Server, patience_seconds: float = 1.0) -> None:
    """Abort connections that stay open although nothing is in flight.

    uvicorn asks idle connections to close, and TLS then waits half a minute for the client's consent; a
    client that is not reading never gives it.
    """
    while server.server_state.connections:
        await asyncio.sleep(patience_seconds)
        if not server.server_state.tasks:
            for connection in list(server.server_state.connections):
                connection.transport.abort()


def _api_config(app: FastAPI, chassis: Chassis, settings: ServiceSettings) -> uvicorn.Config:
    identity = chassis.use_tls()
    return uvicorn.Config(
        app,
        host=settings.api_host,
        port=settings.api_port,
        http=cast(Any, chassis.http_protocol(chassis) if chassis.http_protocol else PeerAwareProtocol),
        ws="none",
        ssl_context_factory=None if identity is None else (lambda _config, _default: identity.root),
        timeout_keep_alive=settings.keep_alive_seconds,
        timeout_graceful_shutdown=settings.graceful_shutdown_seconds,
        log_config=None,
        access_log=False,
        server_header=False,
        date_header=False,
        # uvicorn would believe X-Forwarded-For of whoever connects from the same machine; see client_address.py.
        proxy_headers=False,
        # A pipelined request is started from the one before it and would inherit its trace.
        reset_contextvars=True,
    )


def serve(app: FastAPI, settings: ServiceSettings) -> int:
    """Run ``app`` until SIGTERM or SIGINT and return the exit code."""
    settings.check_serving()

    async def run() -> int:
        pair = ServicePair(app, settings)
        loop = asyncio.get_running_loop()
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, pair.stop)
        freezing = asyncio.ensure_future(pair.freeze_startup())
        try:
            return await pair.run()
        finally:
            freezing.cancel()

    return uvloop.run(run())
