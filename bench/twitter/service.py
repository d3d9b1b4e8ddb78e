"""twitter-service on its own PostgreSQL, in a process of its own, for measurements."""

from __future__ import annotations

import asyncio
import multiprocessing
import os
import resource
import tempfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from multiprocessing.connection import Connection
from pathlib import Path

import asyncpg
import uvloop

from bench.stores import url_in
from castor_chassis.client.transport import httpx
from castor_chassis.observability.logging import configure_logging
from castor_chassis.storage.migrations import migrate
from castor_chassis.testing import Authority, TokenIssuer, run_service, tls_settings
from castor_chassis.tls import TlsFiles
from castor_devstack.stack.postgres import EmbeddedPostgres
from twitter_service.app import create_app
from twitter_service.settings import TwitterSettings

SCOPES = ["tweets:read", "tweets:write", "entities:write", "feed:read", "counts:read"]


@dataclass
class Endpoint:
    """A running service: its client, its database, and a pipe that answers what it has used so far."""

    client: httpx.AsyncClient
    database: asyncpg.Connection
    postgres: int
    pipe: Connection

    def used(self) -> tuple[float, float]:
        """Return CPU seconds, with those of processes that parsed for it, and the highest resident memory in MiB."""
        self.pipe.send("used")
        cpu, peak = self.pipe.recv()
        return float(cpu), float(peak)


async def watch_parser(highest: list[float]) -> None:
    """Keep in the list the highest resident memory in MiB of the processes that parse imports, until cancelled."""
    while True:
        highest[:] = [max([*highest, *await asyncio.to_thread(_parser_memory)], default=0.0)]
        await asyncio.sleep(0.5)


def _parser_memory() -> list[float]:
    found = []
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            if b"twitter_service.imports.parser" in (folder / "cmdline").read_bytes():
                lines = (folder / "status").read_text().splitlines()
                found += [int(line.split()[1]) / 1024 for line in lines if line.startswith("VmHWM")]
        except OSError:
            continue
    return found


def serve(files: TlsFiles, url: str, pipe: Connection) -> None:
    """Run the service in this process until the pipe says otherwise."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), 1)  # the access log is written for real, to nowhere
    os.dup2(os.open(os.devnull, os.O_WRONLY), 2)
    configure_logging("twitter-service", "INFO")
    uvloop.run(_serve(files, url, pipe))


async def _serve(files: TlsFiles, url: str, pipe: Connection) -> None:
    issuer = TokenIssuer()
    limits = {"import_max_bytes": 8 * 1024**3, "rate_limit": "1000000/minute", "search_max_lag_seconds": 3600}
    absent = {"sentiment_url": "https://127.0.0.1:9", "auth_url": "https://127.0.0.1:9"}
    settings = TwitterSettings(**{**tls_settings(files), **limits, **absent, "database_url": url})
    async with run_service(create_app(settings, keys=issuer), settings) as service:
        await service.ready()
        pipe.send((service.url, issuer.user_token(SCOPES)))
        while await asyncio.to_thread(pipe.recv) != "stop":
            own, ended = (resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
            cpu = sum(one.ru_utime + one.ru_stime for one in (own, ended))
            pipe.send((cpu, own.ru_maxrss / 1024))


@asynccontextmanager
async def running(server: EmbeddedPostgres) -> AsyncIterator[Endpoint]:
    """Start the service in a process of its own, beside nothing but PostgreSQL."""
    url, authority = url_in(server), Authority.create()
    await migrate(url, "twitter_service")
    context = multiprocessing.get_context("spawn")
    ours, theirs = context.Pipe()
    with tempfile.TemporaryDirectory() as folder:
        files = authority.write(Path(folder), "twitter-service")
        process = context.Process(target=serve, args=(files, url, theirs), daemon=True)
        process.start()
        base, token = await asyncio.to_thread(ours.recv)
        tls = authority.write(Path(folder), "trending-service").client_context()
        headers = {"Authorization": f"Bearer {token}"}
        database = await asyncpg.connect(url)
        async with httpx.AsyncClient(base_url=base, verify=tls, headers=headers, trust_env=False) as client:
            yield Endpoint(client, database, server.pid or 0, ours)
        await database.close()
        ours.send("stop")
        await asyncio.to_thread(process.join, 20)
