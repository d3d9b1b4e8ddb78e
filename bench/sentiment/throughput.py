"""Tweets per second through the mTLS API, against ``transformers.pipeline`` and the bare ONNX session: same weights.

    CASTOR_HF_MODEL=folder .venv/bin/python -m bench sentiment

``SENTIMENT_MODEL`` (default `bundled`) is what the service runs; ``CASTOR_HF_MODEL`` is a Hugging Face folder of the
same weights for the pipeline, without which its rows are left out. torch and transformers are not part of this
project's environment: ``CASTOR_TORCH_PYTHON`` names a Python that has them, by default one that uv makes for the run.
The texts are 2,000 real tweets when CASTOR_DATA (or ../shared/data) has them, else sentences put together here.

The service, the pipeline and the bare session each run in a process of their own and take turns in short rounds, so
that what else runs on the machine disturbs all alike; the ratios are of sums over the rounds. CPU is that of the
process, all threads; torch's wait by spinning, which counts as CPU where others use the machine as well.
Nothing is refused here (QUEUE_MAX_SECONDS is 60): what happens under overload is ``bench.sentiment.overload``.
"""

from __future__ import annotations

import asyncio
import os
import statistics
import tempfile
import time
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import uvloop

from bench.sentiment import processes as peers
from castor_chassis.client.transport import httpx
from castor_chassis.testing import Authority

ROUNDS = int(os.environ.get("CASTOR_BENCH_ROUNDS", "10"))
ROUND_TEXTS = 200
ONE_BY_ONE = 40
TORCH_TEXTS = 64
MODEL = os.environ.get("SENTIMENT_MODEL", "bundled")


@dataclass
class Row:
    """Sums over the rounds of one way to score texts."""

    name: str
    texts: int = 0
    seconds: float = 0.0
    cpu_seconds: float = 0.0
    waits: list[float] = field(default_factory=list)

    @property
    def rate(self) -> float:
        """Texts per second."""
        return self.texts / self.seconds

    @property
    def cpu(self) -> float:
        """Milliseconds of CPU for each text."""
        return self.cpu_seconds / self.texts * 1e3

    def line(self, bare: Row) -> str:
        """Return what is printed, with the ratios to ``bare``."""
        cuts = statistics.quantiles(self.waits, n=100, method="inclusive") if len(self.waits) > 1 else []
        waits = f"{cuts[49] * 1000:9.0f}{cuts[98] * 1000:9.0f}" if cuts else ""
        ratios = self.rate / bare.rate, bare.cpu / self.cpu
        return f"{self.name:44}{self.rate:9.1f}{ratios[0]:8.2f}{self.cpu:9.1f}{ratios[1]:8.2f}{waits}"


async def api(client: httpx.AsyncClient, texts: Sequence[str], size: int, clients: int) -> list[float]:
    """Send all texts in requests of ``size``, ``clients`` at a time; return the seconds of each request."""
    todo = iter([texts[start : start + size] for start in range(0, len(texts), size)])
    waits: list[float] = []

    async def work() -> None:
        for some in todo:
            started = time.perf_counter()
            answer = await client.post("/v1/sentiment/analyze", json={"texts": some, "lang": "auto"}, timeout=120)
            answer.raise_for_status()
            waits.append(time.perf_counter() - started)

    await asyncio.gather(*(work() for _ in range(clients)))
    return waits


@asynccontextmanager
async def client_of(authority: Authority, folder: Path, **given: Any) -> AsyncIterator[tuple[peers.Worker, Any]]:
    """A service in a process of its own, and a client with a certificate and a token."""
    files = authority.write(folder / "service", "sentiment-service")
    async with peers.service(files, {"sentiment_model": MODEL, **given}) as (worker, url, token):
        tls = authority.write(folder / "caller", "twitter-service").client_context()
        headers = {"Authorization": f"Bearer {token}"}
        limits = httpx.Limits(max_connections=128, max_keepalive_connections=128, keepalive_expiry=60)
        async with httpx.AsyncClient(
            base_url=url, verify=tls, headers=headers, trust_env=False, limits=limits
        ) as client:
            yield worker, client


async def timed(row: Row, worker: peers.Worker, texts: Sequence[str], call: Callable[[], Any]) -> None:
    """Add one round to ``row``."""
    cpu, started = worker.cpu_seconds(), time.perf_counter()
    waits = await call()
    row.seconds += time.perf_counter() - started
    row.cpu_seconds += worker.cpu_seconds() - cpu
    row.texts += len(texts)
    row.waits += waits if isinstance(waits, list) else []


async def measure(stack: AsyncExitStack, folder: Path) -> list[Row]:
    """Let all ways take turns; return their rows, the bare session's first."""
    texts = peers.tweets(ROUNDS * ROUND_TEXTS)
    bare = await stack.enter_async_context(peers.bare(MODEL))
    pipeline = await stack.enter_async_context(peers.pipeline())
    service, client = await stack.enter_async_context(client_of(Authority.create(), folder, queue_max_seconds=60))
    ways: list[tuple[Row, peers.Worker, int, Callable[[Sequence[str]], Any]]] = [
        (Row("bare ONNX session, sorted, perfect batches"), bare, ROUND_TEXTS, lambda some: bare.run(some, 0)),
        (Row("bare ONNX session, one text a call"), bare, ONE_BY_ONE, lambda some: bare.run(some, 1)),
        (Row("mTLS API, 200 texts a call, 1 client"), service, ROUND_TEXTS, lambda some: api(client, some, 200, 1)),
        (Row("mTLS API, 50 texts a call, 4 clients"), service, ROUND_TEXTS, lambda some: api(client, some, 50, 4)),
        (Row("mTLS API, 1 text a call, 1 client"), service, ONE_BY_ONE, lambda some: api(client, some, 1, 1)),
        (Row("mTLS API, 1 text a call, 16 clients"), service, ROUND_TEXTS, lambda some: api(client, some, 1, 16)),
        (Row("mTLS API, 1 text a call, 64 clients"), service, ROUND_TEXTS, lambda some: api(client, some, 1, 64)),
    ]
    if pipeline is not None:
        ways += [
            (Row("torch pipeline, one text a call"), pipeline, ONE_BY_ONE, lambda some: pipeline.run(some, 1)),
            (Row("torch pipeline, batch 32"), pipeline, TORCH_TEXTS, lambda some: pipeline.run(some, 32)),
        ]
    for number in range(ROUNDS):
        mine = texts[number * ROUND_TEXTS : (number + 1) * ROUND_TEXTS]
        for row, worker, count, call in ways:
            await timed(row, worker, mine[:count], lambda call=call, some=mine[:count]: call(some))  # type: ignore[misc]
    print(f"memory: service {service.resident_mb():.0f} MB", end="")
    print(f", pipeline {pipeline.resident_mb():.0f} MB" if pipeline else "")
    return [row for row, *_ in ways]


async def run() -> None:
    """Measure and print the table."""
    with tempfile.TemporaryDirectory() as folder:
        async with AsyncExitStack() as stack:
            rows = await measure(stack, Path(folder))
    print(f"{MODEL}, {rows[0].texts} tweets in {ROUNDS} rounds, load average {os.getloadavg()[0]:.1f}, cache off")
    print(f"{'':44}{'texts/s':>9}{'x bare':>8}{'CPU ms':>9}{'x bare':>8}{'p50 ms':>9}{'p99 ms':>9}")
    for row in rows:
        print(row.line(rows[0]))
    print(f"{rows[4].name} / {rows[1].name}: {rows[4].rate / rows[1].rate:.2f} by time")
    for peer in rows:
        if peer.name.startswith("torch"):
            for row in rows[2:4]:
                print(f"{row.name} / {peer.name}: {row.rate / peer.rate:.2f} by time, {peer.cpu / row.cpu:.2f} by CPU")


def main() -> None:
    """Print the table."""
    uvloop.run(run())
