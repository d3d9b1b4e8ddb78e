"""A service on a real loopback port, with real TLS, in the loop of the test."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

from fastapi import FastAPI

from castor_chassis.client.transport import httpx
from castor_chassis.service.server import ServicePair
from castor_chassis.settings import ServiceSettings
from castor_chassis.tls import TlsFiles


@dataclass
class RunningService:
    """A service that answers, and a client that may talk to it."""

    url: str
    management_url: str
    client: httpx.AsyncClient
    """Presents the certificate that ``run_service`` was given; no token by itself."""
    pair: ServicePair
    app: FastAPI

    async def ready(self, seconds: float = 100) -> None:
        """Wait until the service is ready; raises ``TimeoutError`` with what is missing."""
        deadline = asyncio.get_running_loop().time() + seconds
        while True:
            is_ready, parts = await self.pair.chassis.health.report()
            if is_ready:
                return
            if asyncio.get_running_loop().time() > deadline:
                raise TimeoutError(f"not ready after {seconds} s: {parts}")
            await asyncio.sleep(0.02)


def tls_settings(files: TlsFiles) -> dict[str, Any]:
    """Return the settings that make a service use ``files``, free ports, and no drain delay."""
    return {
        "tls_cert_file": files.certificate,
        "tls_key_file": files.key,
        "tls_ca_file": files.authorities,
        "api_port": 0,
        "management_port": 0,
        "drain_delay_seconds": 0,
        # Tests are users and services at once: they send users' tokens over the certificate of a service.
        "user_tokens_from": "services",
        # Test machines can stand still for seconds: only what stalls for good may run into these.
        "redis_timeout_seconds": 10,
        "peer_attempt_timeout_seconds": 20,
    }


@asynccontextmanager
async def run_service(
    app: FastAPI, settings: ServiceSettings, *, client_files: TlsFiles | None = None
) -> AsyncIterator[RunningService]:
    """Serve ``app`` until the block ends; ``client_files`` is the client's certificate, by default the service's."""
    pair = ServicePair(app, settings)
    serving = asyncio.ensure_future(pair.run())
    try:
        await _started(pair, serving)
        files = client_files or TlsFiles(settings.tls_cert_file, settings.tls_key_file, settings.tls_ca_file)  # type: ignore[arg-type]
        url = f"https://127.0.0.1:{pair.api.port}"
        context = files.client_context()
        async with httpx.AsyncClient(base_url=url, verify=context, trust_env=False, timeout=30) as client:
            yield RunningService(url, f"http://127.0.0.1:{pair.management.port}", client, pair, app)
    finally:
        pair.stop()
        await asyncio.wait_for(serving, 40)


async def _started(pair: ServicePair, serving: asyncio.Future[int]) -> None:
    starting = asyncio.ensure_future(pair.started())
    watched: list[asyncio.Future[Any]] = [serving, starting]
    await asyncio.wait(watched, return_when=asyncio.FIRST_COMPLETED, timeout=20)
    if not starting.done():
        starting.cancel()
        raise RuntimeError("the service did not start; its log says why")
