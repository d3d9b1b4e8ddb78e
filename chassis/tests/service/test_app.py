"""Work that is loaded in the background, and the service's own HTTP protocol."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from castor_chassis import Chassis, create_service
from castor_chassis.service.server import PeerAwareProtocol
from castor_chassis.testing import TokenIssuer, run_service, tls_settings
from castor_chassis.tls import PeerIdentity, TlsFiles
from small_service import Running
from small_service.app import SmallSettings


async def test_a_service_may_replace_the_http_protocol(files: TlsFiles, caller: TlsFiles) -> None:
    """What ``create_service`` was given makes the protocol of each API connection, and knows the client's identity."""
    seen: list[PeerIdentity | None] = []

    class Recording(PeerAwareProtocol):
        def on_headers_complete(self) -> None:
            seen.append(self.peer)
            super().on_headers_complete()

    @asynccontextmanager
    async def start(_chassis: Chassis) -> AsyncIterator[None]:
        yield

    settings = SmallSettings(**tls_settings(files))
    app = create_service(
        settings, package="small_service", version="1", summary="x", routers=[], start=start, keys=TokenIssuer(),
        http_protocol=lambda _chassis: Recording,
    )  # fmt: skip
    async with run_service(app, settings, client_files=caller) as service:
        assert (await service.client.get("/v1/small/none")).status_code == 404
    assert [peer and peer.service for peer in seen] == ["twitter-service"]


async def test_load_in_the_background_opens_its_gate(running: Running) -> None:
    """What is loaded in a thread makes the service ready when done; a failure says why for good."""
    async with running() as service:
        chassis = service.pair.chassis
        assert await chassis.load("model", lambda: 42) == 42

        def broken() -> None:
            raise FileNotFoundError("no such model; set SENTIMENT_MODEL")

        with pytest.raises(FileNotFoundError):
            await chassis.load("other", broken)
        is_ready, parts = await chassis.health.report()
    assert (is_ready, parts["model"], parts["other"]) == (False, "ok", "no such model; set SENTIMENT_MODEL")
