"""Requests per second of auth-service: validating tokens against PyJWT in a FastAPI route, refreshes, logins.

Every contestant is one process with one event loop behind the same mutual TLS (1.3, no tickets), and the same client
takes turns with them: 16 connections that each wait for their answer. The tokens are 500 of 500 sessions. Ours
remembers what it has verified, so "seen before" and "first sight" are shown apart; PyJWT verifies every time, as its
users do. A machine shared with others slows both sides of a round alike: read the ratios, and the CPU beside them.

PyJWT is not a dependency of ours: ``uv run --group bench python -m bench auth``.
"""

from __future__ import annotations

import asyncio
import importlib.util
import itertools
import multiprocessing
import os
import ssl
import statistics
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from functools import partial
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

import orjson
import uvicorn
import uvloop
from argon2.low_level import Type, hash_secret
from fastapi import FastAPI
from pydantic import BaseModel

from auth_service.app import create_app
from auth_service.settings import AuthSettings
from castor_chassis.observability.logging import configure_logging
from castor_chassis.storage.migrations import migrate
from castor_chassis.testing import Authority, run_service, tls_settings
from castor_chassis.tls import TlsFiles
from castor_devstack.stack.ports import PortLeases
from castor_devstack.stack.postgres import EmbeddedPostgres
from castor_devstack.stack.valkey import EmbeddedValkey
from castor_devstack.supervision.os_user import postgres_account
from castor_devstack.testing import scratch_folder

TOKENS, CONNECTIONS, ROUNDS, SECONDS = 500, 16, 7, 1.0
VALID = b'"valid":true'
EMAIL, PASSWORD = "admin@castor.example", "cuatro caballos lentos"


def serve_ours(files: TlsFiles, database: str, redis: str, pipe: Connection) -> None:
    """Run auth-service as in production, its access log written to nowhere."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
    configure_logging("auth-service", "INFO")
    uvloop.run(_serve_ours(files, database, redis, pipe))


async def _serve_ours(files: TlsFiles, database: str, redis: str, pipe: Connection) -> None:
    await migrate(database, "auth_service")
    settings = AuthSettings(
        **tls_settings(files), database_url=database, redis_url=redis, key_encryption_secret="x" * 40,
        bootstrap_admin_email=EMAIL, bootstrap_admin_password=PASSWORD, mfa_required_roles="none",
        throttle_free_attempts=1_000_000,
        address_rate_limit="1000000/minute", rate_limit="100000000/minute",
    )  # fmt: skip
    async with run_service(create_app(settings), settings) as service:
        await service.ready()
        r = service.app.state.resources
        while (user := await r.users.by_email(EMAIL)) is None:  # noqa: ASYNC110
            await asyncio.sleep(0.05)
        public = r.signing_keys.active().public.to_pem()

        async def tokens(number: int) -> list[str]:
            return [await r.sessions.issuer.user_token(user, f"{n:032x}") for n in range(number)]

        pipe.send((service.pair.api.port, public, await tokens(TOKENS)))
        while (asked := await asyncio.to_thread(pipe.recv)) != "stop":
            pipe.send(time.process_time() if asked == "cpu" else await tokens(asked))


class Body(BaseModel):
    """What the peer's route takes."""

    token: str


def serve_peer(files: TlsFiles, public: bytes, kind: str, pipe: Connection) -> None:
    """Run what one would write by hand: a FastAPI route that calls PyJWT; no log, no metrics."""
    import jwt
    from cryptography.hazmat.primitives.serialization import load_pem_public_key

    app, key = FastAPI(), load_pem_public_key(public)

    def judge(token: str) -> dict[str, Any]:
        try:
            claims = jwt.decode(token, key, ["RS256"], audience="castor", issuer="https://auth.castor")  # type: ignore[arg-type]
        except jwt.PyJWTError as error:
            return {"valid": False, "reason": str(error)}
        return {
            "valid": True, "user_id": claims["sub"], "email": claims["email"], "roles": claims["roles"],
            "exp": claims["exp"],
        }  # fmt: skip

    if kind == "def":

        @app.post("/v1/validate")
        def validate(body: Body) -> dict[str, Any]:
            return judge(body.token)
    else:

        @app.post("/v1/validate")
        async def validate_async(body: Body) -> dict[str, Any]:
            return judge(body.token)

    uvloop.run(_serve_peer(app, files, pipe))


async def _serve_peer(app: Any, files: TlsFiles, pipe: Connection) -> None:
    config = uvicorn.Config(
        app, host="127.0.0.1", port=0, http="httptools", ws="none", access_log=False, log_config=None,
        server_header=False, date_header=False,
        ssl_context_factory=lambda _config, _default: files.server_context(),
    )  # fmt: skip
    server = uvicorn.Server(config)
    serving = asyncio.ensure_future(server.serve())
    while not server.started:  # noqa: ASYNC110 - uvicorn offers no event
        await asyncio.sleep(0.01)
    pipe.send(server.servers[0].sockets[0].getsockname()[1])
    while await asyncio.to_thread(pipe.recv) != "stop":
        pipe.send(time.process_time())
    server.should_exit = True
    await serving


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


def start(name: str, target: Callable[..., None], *arguments: Any) -> tuple[Any, Connection]:
    """Start a server process; return it and its pipe."""
    context = multiprocessing.get_context("spawn")
    ours, theirs = context.Pipe()
    process = context.Process(target=target, args=(*arguments, theirs), daemon=True, name=name)
    process.start()
    return process, ours


async def run(files: TlsFiles, tls: ssl.SSLContext, database: str, redis: str) -> None:
    """Measure and print."""
    process, pipe = start("ours", serve_ours, files, database, redis)
    port, public, tokens = await asyncio.to_thread(pipe.recv)
    ours = Contestant("auth-service, seen before", port, pipe, process)
    fresh = Contestant("auth-service, first sight", port, pipe, process)
    peers = []
    for kind in ("async def", "def"):
        other, link = start(kind, serve_peer, files, public, kind)
        peers.append(Contestant(f"FastAPI {kind} + PyJWT", await asyncio.to_thread(link.recv), link, other))
    await _validate(ours, fresh, peers, tokens, tls)
    await _sessions(ours, tls)
    for contestant in (ours, *peers):
        contestant.pipe.send("stop")
        contestant.process.join(20)


async def _validate(
    ours: Contestant, fresh: Contestant, peers: list[Contestant], tokens: list[str], tls: ssl.SSLContext
) -> None:
    old = [post("/internal/validate-token", {"token": token}) for token in tokens]
    theirs = [post("/v1/validate", {"token": token}) for token in tokens]
    for number in range(ROUNDS + 1):
        await ours.run(tls, SECONDS, VALID, *of(itertools.cycle(old)))
        for peer in peers:
            await peer.run(tls, SECONDS, VALID, *of(itertools.cycle(theirs)))
        fresh.pipe.send(TOKENS)
        new = await asyncio.to_thread(fresh.pipe.recv)
        requests = [post("/internal/validate-token", {"token": token}) for token in new]
        await fresh.run(tls, 60, VALID, *of(iter(requests)))
        if number == 0:  # the first round warms everything up
            for each in (ours, fresh, *peers):
                each.rates.clear()
                each.cpu.clear()
    print(f"{'POST validate, mutual TLS, one worker each':44}{'CPU us':>8}{'requests/s of a core':>22}{'as seen':>9}")
    for each in (ours, fresh, *peers):
        cpu = statistics.median(each.cpu)
        print(f"{each.name:44}{cpu:8.0f}{1e6 / cpu:22.0f}{statistics.median(each.rates):9.0f}")
    _ratios("requests/s of a core", [[1e6 / cpu for cpu in each.cpu] for each in (ours, *peers)])
    _ratios("requests/s as seen", [each.rates for each in (ours, *peers)])
    print(f"load average {os.getloadavg()[0]:.1f}; the client is Python too, and may be what limits 'as seen'")


def _ratios(what: str, rates: list[list[float]]) -> None:
    """Print ours against the better of the peers, round by round."""
    ratios = sorted(ours / max(peers) for ours, *peers in zip(*rates, strict=True))
    cuts = f"median {statistics.median(ratios):.2f}, from {ratios[0]:.2f} to {ratios[-1]:.2f}"
    print(f"{what}, ours against the better peer: {cuts}")


async def _sessions(ours: Contestant, tls: ssl.SSLContext) -> None:
    logins = Contestant("logins (argon2id, 19 MiB, 2 passes)", ours.port, ours.pipe, ours.process)
    refreshes = Contestant("refreshes, each storing a successor", ours.port, ours.pipe, ours.process)
    login = post("/v1/auth/login", {"email": EMAIL, "password": PASSWORD})
    held: list[bytes] = []

    def again(answer: bytes) -> bytes:
        held.append(answer)
        return login

    await logins.run(tls, 3, b"refresh_token", *([again] * CONNECTIONS))
    sessions = [_refresh(answer) for answer in held if answer][:CONNECTIONS]
    await refreshes.run(tls, 3, b"refresh_token", *(partial(_following, first) for first in sessions))
    print(f"\n{'':44}{'a second':>12}{'CPU us':>9}")
    for each in (logins, refreshes):
        print(f"{each.name:44}{each.rates[0]:12.0f}{each.cpu[0]:9.0f}")
    alone = _argon2_seconds()
    print(f"{'argon2id alone, one core':44}{1 / alone:12.0f}{alone * 1e6:9.0f}")


def _following(first: bytes, answer: bytes) -> bytes:
    return _refresh(answer) if answer else first


def _refresh(answer: bytes) -> bytes:
    token = answer.partition(b'"refresh_token":"')[2].partition(b'"')[0].decode()
    return post("/v1/auth/refresh", {"refresh_token": token})


def _argon2_seconds() -> float:
    started = time.process_time()
    for _ in range(20):
        hash_secret(PASSWORD.encode(), os.urandom(16), 2, 19_456, 1, 32, Type.ID)
    return (time.process_time() - started) / 20


def main() -> None:
    """Start what is needed and print the table."""
    if importlib.util.find_spec("jwt") is None:
        print("PyJWT is not here; run it with: uv run --group bench python -m bench auth")
        return
    account, leases = postgres_account(), PortLeases()
    ports = leases.choose({"postgres": 0, "valkey": 0})
    authority = Authority.create()
    with scratch_folder(account) as folder, scratch_folder(None) as other, tempfile.TemporaryDirectory() as pems:
        database = EmbeddedPostgres(folder / "pg", port=ports["postgres"], password="bench", account=account, fast=True)
        valkey = EmbeddedValkey(other / "valkey", port=ports["valkey"], password="bench", fast=True)
        database.start()
        valkey.start()
        try:
            database.provision({"auth": "auth"})
            tls = authority.write(Path(pems), "twitter-service").client_context()
            files = authority.write(Path(pems), "auth-service")
            uvloop.run(run(files, tls, database.url("auth", "auth", "auth"), valkey.url(0)))
        finally:
            valkey.stop()
            database.stop()
            leases.release()
