"""Waiting of accepted calls under ten times the load that the service carries, against that under four fifths of it.

Each round measures the capacity (6 callers without pause), then offers 0.8 and 10 times of it for as long each as 200
calls take at the former (at least 8 s; a p99 of fewer calls, or of a queue that has not filled yet, says little), in an
open loop: calls of 8 tweets at random times (Poisson), whether or not earlier ones were answered, none of them
repeated, so each stands for another caller who heeds ``Retry-After``. The settings are those that ship, but for the
limits of calls per caller and at a time, since one process plays all callers. Texts differ by a number, so none is
computed for two. Accepted calls are to wait at most twice as long as usual; the others are to get 429.

The callers share the processors with the service. What they add by themselves is measured and printed, not taken off:
`late` is how much later than planned a call was sent, `lag` how much later than asked an idle task of theirs ran.
"""

from __future__ import annotations

import asyncio
import os
import random
import statistics
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import orjson
import uvloop

from bench.sentiment import processes as peers
from bench.sentiment.throughput import MODEL, client_of
from castor_chassis.client.transport import httpx
from castor_chassis.testing import Authority

SIZE = 8
ROUNDS = int(os.environ.get("CASTOR_BENCH_ROUNDS", "5"))
SECONDS = float(os.environ.get("CASTOR_BENCH_SECONDS", "8"))
CALLS = int(os.environ.get("CASTOR_BENCH_CALLS", "200"))
USUAL, HEAVY = 0.8, 10.0
CALLERS = 6
CONNECTIONS = 128
GIVEN = {"max_concurrent_requests": 2048, "rate_limit": "1000000/second"}
JSON = {"Content-Type": "application/json"}


@dataclass
class Outcomes:
    """What became of the calls of one load; all in seconds."""

    accepted: list[float] = field(default_factory=list)
    refused: list[float] = field(default_factory=list)
    others: int = 0
    late: list[float] = field(default_factory=list)
    lag: list[float] = field(default_factory=list)

    def add(self, status: int, seconds: float) -> None:
        """Note one answer."""
        if status == 200:
            self.accepted.append(seconds)
        elif status == 429:
            self.refused.append(seconds)
        else:
            self.others += 1

    def row(self, name: str) -> str:
        """Return what is printed."""
        sent = len(self.accepted) + len(self.refused) + self.others
        counts = f"{sent:7}{len(self.accepted):9}{len(self.refused) / max(1, sent):7.1%}{self.others:7}"
        waits = f"{at(self.accepted, 50):8.0f}{at(self.accepted, 99):8.0f}{at(self.refused, 50):8.0f}"
        return f"{name:18}{counts}{waits}{at(self.refused, 99):8.0f}{at(self.late, 99):8.0f}{at(self.lag, 99):8.0f}"


def at(seconds: Sequence[float], percent: int) -> float:
    """Return a percentile in milliseconds; NaN of fewer than two."""
    if len(seconds) < 2:
        return float("nan")
    return statistics.quantiles(seconds, n=100, method="inclusive")[percent - 1] * 1e3


async def call(client: httpx.AsyncClient, texts: list[str], outcomes: Outcomes) -> None:
    """Send one request."""
    some = [f"{text} {random.random():.6f}" for text in random.sample(texts, SIZE)]
    body = orjson.dumps({"texts": some, "lang": "auto"})
    started = time.perf_counter()
    answer = await client.post("/v1/sentiment/analyze", content=body, headers=JSON, timeout=60)
    outcomes.add(answer.status_code, time.perf_counter() - started)


@contextmanager
def watched(outcomes: Outcomes) -> Iterator[None]:
    """Note meanwhile how late this process's own tasks run."""

    async def watch() -> None:
        while True:
            asked = time.perf_counter()
            await asyncio.sleep(0.01)
            outcomes.lag.append(time.perf_counter() - asked - 0.01)

    task = asyncio.ensure_future(watch())
    try:
        yield
    finally:
        task.cancel()


async def offered(client: httpx.AsyncClient, texts: list[str], per_second: float, seconds: float) -> Outcomes:
    """Send requests at ``per_second`` for ``seconds`` and return what became of them."""
    outcomes, loop, calls = Outcomes(), asyncio.get_running_loop(), list[asyncio.Task[None]]()
    ends = at_time = loop.time()
    ends += seconds
    with watched(outcomes):
        while (at_time := at_time + random.expovariate(per_second)) < ends:
            await asyncio.sleep(max(0.0, at_time - loop.time()))
            outcomes.late.append(max(0.0, loop.time() - at_time))
            calls.append(asyncio.create_task(call(client, texts, outcomes)))
        await asyncio.gather(*calls)
    return outcomes


async def capacity(client: httpx.AsyncClient, texts: list[str]) -> float:
    """Return the requests per second that a few callers without pause get through."""
    outcomes, started = Outcomes(), time.perf_counter()

    async def work() -> None:
        while time.perf_counter() < started + SECONDS / 2:
            await call(client, texts, outcomes)

    await asyncio.gather(*(work() for _ in range(CALLERS)))
    return len(outcomes.accepted) / (time.perf_counter() - started)


async def measure(client: httpx.AsyncClient, texts: list[str]) -> list[tuple[Outcomes, Outcomes]]:
    """Let usual and heavy load take turns; return both of each round."""
    rounds = []
    for number in range(1, ROUNDS + 1):
        most = await capacity(client, texts)
        seconds = max(SECONDS, CALLS / (USUAL * most))
        usual = await offered(client, texts, USUAL * most, seconds)
        print(usual.row(f"{number}: {USUAL * most:6.1f}/s, {USUAL} x"))
        heavy = await offered(client, texts, HEAVY * most, seconds)
        print(heavy.row(f"{number}: {HEAVY * most:6.1f}/s, {HEAVY:.0f} x"))
        rounds.append((usual, heavy))
    return rounds


async def run() -> None:
    """Measure and print."""
    texts = peers.tweets(2000)
    print(f"{MODEL}, calls of {SIZE} tweets, open loop; as it ships but {GIVEN}")
    print(f"{'':18}{'':25}{'':5}{'accepted, ms':>16}{'429, ms':>16}{'callers, ms':>16}")
    cuts = f"{'p50':>8}{'p99':>8}{'p50':>8}{'p99':>8}{'late':>8}{'lag':>8}"
    print(f"{'offered':18}{'sent':>7}{'accepted':>9}{'429':>7}{'others':>7}{cuts}")
    with tempfile.TemporaryDirectory() as folder:
        async with client_of(Authority.create(), Path(folder), **GIVEN) as (_, client):
            # Callers keep their connections; opening all of them at once is another trouble than too many texts.
            await asyncio.gather(*(client.get("/v1/sentiment/model") for _ in range(CONNECTIONS)))
            await capacity(client, texts)
            rounds = await measure(client, texts)
    ratios = [at(heavy.accepted, 99) / at(usual.accepted, 99) for usual, heavy in rounds]
    alls = [[one for outcomes in side for one in outcomes.accepted] for side in zip(*rounds, strict=True)]
    print(f"p99 of accepted at {HEAVY:.0f} x / at {USUAL} x: {', '.join(f'{ratio:.2f}' for ratio in ratios)}")
    print(f"median {statistics.median(ratios):.2f}, of all rounds together {at(alls[1], 99) / at(alls[0], 99):.2f}")
    print(f"load average {os.getloadavg()[0]:.1f}")


def main() -> None:
    """Print the table."""
    uvloop.run(run())
