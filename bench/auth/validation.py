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
import os
import ssl
import statistics
import tempfile
import time
from functools import partial
from pathlib import Path

import uvloop
from argon2.low_level import Type, hash_secret

from bench.auth.client import CONNECTIONS, Contestant, of, post
from bench.auth.servers import EMAIL, PASSWORD, TOKENS, serve_ours, serve_peer, start
from bench.stores import stores
from castor_chassis.testing import Authority
from castor_chassis.tls import TlsFiles

ROUNDS, SECONDS = 7, 1.0


VALID = b'"valid":true'


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
    authority = Authority.create()
    with stores() as (database_url, redis_url), tempfile.TemporaryDirectory() as pems:
        tls = authority.write(Path(pems), "twitter-service").client_context()
        files = authority.write(Path(pems), "auth-service")
        uvloop.run(run(files, tls, database_url, redis_url))
