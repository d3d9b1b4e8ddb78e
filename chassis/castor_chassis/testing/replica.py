"""A replica in a process of its own, for tests that kill it.

``python -m castor_chassis.testing.replica PACKAGE CLASS SETTINGS CLAIMS`` prints its address and a token.
"""

from __future__ import annotations

import asyncio
import importlib
import json
import sys
from collections.abc import AsyncIterator, Iterable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

from castor_chassis.client.transport import httpx
from castor_chassis.service.server import ServicePair
from castor_chassis.settings import ServiceSettings
from castor_chassis.testing.tokens import TokenIssuer
from castor_chassis.tls import TlsFiles

START_SECONDS = 100
"""Only a replica that cannot start runs into this; test machines can stand still for seconds."""


@dataclass(frozen=True)
class Replica:
    """A process that serves, and a client that sends it a user's token."""

    process: asyncio.subprocess.Process
    client: httpx.AsyncClient

    async def kill(self) -> None:
        """End it at once, as kill -9 does."""
        self.process.kill()
        await self.process.wait()


@asynccontextmanager
async def replica(
    kind: type[ServiceSettings],
    settings: Mapping[str, Any],
    scopes: Iterable[str],
    *,
    caller: TlsFiles,
    user: str | None = None,
) -> AsyncIterator[Replica]:
    """Serve the app of the package of ``kind`` in a process that is dead at the end of the block.

    ``caller`` is the client's certificate; ``user`` the subject of its token, which several replicas may share.
    """
    claims = {**TokenIssuer().user_claims(scopes), **({"sub": user} if user else {})}
    package = kind.__module__.partition(".")[0]
    arguments = [package, kind.__name__, json.dumps(settings, default=str), json.dumps(claims)]
    command = [sys.executable, "-m", __name__, *arguments]
    process = await asyncio.create_subprocess_exec(*command, stdout=asyncio.subprocess.PIPE)
    assert process.stdout is not None
    logs: asyncio.Future[bytes] | None = None
    try:
        place = await _place(process.stdout)
        logs = asyncio.ensure_future(process.stdout.read())  # a full pipe would stall the process
        headers = {"Authorization": f"Bearer {place['token']}"}
        context = caller.client_context()
        async with httpx.AsyncClient(
            verify=context, base_url=place["url"], headers=headers, timeout=30, trust_env=False
        ) as client:
            yield Replica(process, client)
    finally:
        if process.returncode is None:
            process.kill()
        await process.wait()
        if logs is not None:
            await logs


async def _place(output: asyncio.StreamReader) -> dict[str, str]:
    async with asyncio.timeout(START_SECONDS):
        while line := await output.readline():
            if line.startswith(b"place "):
                place: dict[str, str] = json.loads(line[6:])
                return place
    raise RuntimeError("the replica ended; its log says why")


async def _main(package: str, settings_class: str, given: str, claims: str) -> None:
    issuer = TokenIssuer()
    settings = getattr(importlib.import_module(f"{package}.settings"), settings_class)(**json.loads(given))
    pair = ServicePair(importlib.import_module(f"{package}.app").create_app(settings, keys=issuer), settings)
    serving = asyncio.ensure_future(pair.run())
    await pair.started()
    place: dict[str, Any] = {"url": f"https://127.0.0.1:{pair.api.port}", "token": issuer.sign(json.loads(claims))}
    print("place " + json.dumps(place), flush=True)
    await serving


if __name__ == "__main__":
    asyncio.run(_main(*sys.argv[1:]))
