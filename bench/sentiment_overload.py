"""Waiting under ten times the load that the service carries, against the waiting at four fifths of it.

Requests of 8 tweets come at random times (Poisson) whether or not earlier ones were answered. The capacity is measured
first, with all requests at once. Accepted calls are to wait at most twice as long as usual; the others get 429.
"""

from __future__ import annotations

import asyncio
import os
import random
import statistics
import tempfile
import time
from pathlib import Path

import uvloop

from bench import _sentiment_peers as peers
from bench.sentiment import MODEL, client_of
from castor_chassis.http import httpx
from castor_chassis.testing import Authority

SIZE = 8
SECONDS = float(os.environ.get("CASTOR_BENCH_SECONDS", "15"))
WAIT_MAX_SECONDS = 0.4
Outcome = tuple[int, float]
"""Status and seconds of one request."""


async def call(client: httpx.AsyncClient, texts: list[str]) -> Outcome:
    """Send one request; texts are made new by a number, so that none is computed once for two."""
    some = [f"{text} {random.random():.6f}" for text in random.sample(texts, SIZE)]
    started = time.perf_counter()
    answer = await client.post("/v1/sentiment/analyze", json={"texts": some, "lang": "auto"}, timeout=60)
    return answer.status_code, time.perf_counter() - started


async def offered(client: httpx.AsyncClient, texts: list[str], per_second: float) -> list[Outcome]:
    """Send requests at ``per_second`` for a while and return all outcomes."""
    calls: list[asyncio.Task[Outcome]] = []
    ends = at = asyncio.get_running_loop().time()
    ends += SECONDS
    while (at := at + random.expovariate(per_second)) < ends:
        await asyncio.sleep(max(0.0, at - asyncio.get_running_loop().time()))
        calls.append(asyncio.create_task(call(client, texts)))
    return await asyncio.gather(*calls)


async def capacity(client: httpx.AsyncClient, texts: list[str]) -> float:
    """Return the requests per second that 4 clients without pause get through."""
    ends = time.perf_counter() + SECONDS / 2

    async def work() -> int:
        done = 0
        while time.perf_counter() < ends:
            done += (await call(client, texts))[0] == 200
        return done

    started = time.perf_counter()
    return sum(await asyncio.gather(*(work() for _ in range(4)))) / (time.perf_counter() - started)


def report(name: str, outcomes: list[Outcome]) -> float:
    """Print one row and return the p99 of the accepted."""
    accepted = sorted(seconds for status, seconds in outcomes if status == 200)
    refused = [seconds for status, seconds in outcomes if status == 429]
    cuts = statistics.quantiles(accepted, n=100, method="inclusive")
    others = len(outcomes) - len(accepted) - len(refused)
    counts = f"{len(outcomes):8}{len(accepted):10}{len(refused):8}{others:8}"
    print(f"{name:24}{counts}{cuts[49] * 1e3:9.0f}{cuts[98] * 1e3:9.0f}")
    return cuts[98]


async def run() -> None:
    """Measure and print."""
    texts = peers.tweets(2000)
    given = {"queue_max_seconds": WAIT_MAX_SECONDS, "max_concurrent_requests": 2048, "rate_limit": "1000000/second"}
    with tempfile.TemporaryDirectory() as folder:
        async with client_of(Authority.create(), Path(folder), **given) as (_, client):
            most = await capacity(client, texts)
            print(f"{MODEL}: {most:.1f} requests/s of {SIZE} tweets; QUEUE_MAX_SECONDS={WAIT_MAX_SECONDS}")
            print(f"{'offered':24}{'sent':>8}{'accepted':>10}{'429':>8}{'others':>8}{'p50 ms':>9}{'p99 ms':>9}")
            usual = report("0.8 x capacity", await offered(client, texts, 0.8 * most))
            report("1.0 x capacity", await offered(client, texts, most))
            heavy = report("10 x capacity", await offered(client, texts, 10 * most))
            again = report("0.8 x capacity, after", await offered(client, texts, 0.8 * most))
    print(f"p99 at 10 x / usual: {heavy / usual:.2f} (before), {heavy / again:.2f} (after); ", end="")
    print(f"load average {os.getloadavg()[0]:.1f}")


def main() -> None:
    """Print the table."""
    uvloop.run(run())
