"""Whether equal texts have equal scores: 2,000 tweets alone and in hundreds, on two fresh services.

    .venv/bin/python -m bench sentiment_equality

Each of two services of its own process, without a cache, is asked for the same texts one in each call, in hundreds, and
in hundreds in another order; then for 500 pairs of a text and a word of it, alone and in fifties. Printed is, for each
way against the first service's texts alone, how many texts have other scores and the greatest difference of a
probability. Scores travel as JSON numbers, which keep every bit.
"""

from __future__ import annotations

import asyncio
import random
import tempfile
from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from typing import Any

import uvloop

from bench.sentiment import processes as peers
from bench.sentiment.throughput import client_of
from castor_chassis.testing import Authority

TEXTS, PAIRS = 2000, 500
HUNDRED, FIFTY, CALLS_AT_A_TIME = 100, 50, 8
PATIENT = {"queue_max_seconds": 600, "request_timeout_seconds": 600}
LABELS = ("positive", "neutral", "negative")
Scores = list[tuple[float, ...]]


class Service:
    """One service, asked for the scores of texts and of pairs."""

    def __init__(self, client: Any) -> None:
        self._client = client

    async def texts(self, texts: Sequence[str], size: int) -> Scores:
        """Return the scores of each text, in calls of ``size``."""
        found = await self._calls(texts, size, lambda some: ("analyze", {"texts": some, "lang": "auto"}))
        return [_scores(one) for answer in found for one in answer["results"]]

    async def pairs(self, pairs: Sequence[tuple[str, str]], size: int) -> Scores:
        """Return the scores towards each target, in calls of ``size``."""

        def body(some: Sequence[tuple[str, str]]) -> tuple[str, Any]:
            items = [{"id": str(n), "text": text, "targets": [name]} for n, (text, name) in enumerate(some)]
            return "targets", {"items": items}

        found = await self._calls(pairs, size, body)
        return [_scores(one["targets"][0]) for answer in found for one in answer["results"]]

    async def _calls(self, rows: Sequence[Any], size: int, body: Any) -> list[Any]:
        limit = asyncio.Semaphore(CALLS_AT_A_TIME)

        async def call(some: Sequence[Any]) -> Any:
            path, content = body(some)
            async with limit:
                answer = await self._client.post(f"/v1/sentiment/{path}", json=content, timeout=600)
            answer.raise_for_status()
            return answer.json()["data"]

        return await asyncio.gather(*(call(rows[start : start + size]) for start in range(0, len(rows), size)))


def _scores(one: dict[str, Any]) -> tuple[float, ...]:
    return tuple(one.get(label, -1.0) for label in LABELS)


def shuffled(rows: Sequence[Any]) -> tuple[list[Any], list[int]]:
    """Return the rows in another order, and where each of them stands in it."""
    order = list(range(len(rows)))
    random.Random(0).shuffle(order)
    return [rows[place] for place in order], sorted(range(len(rows)), key=order.__getitem__)


def compared(name: str, found: Scores, first: Scores) -> None:
    """Print how many differ and by how much."""
    differences = [max(abs(a - b) for a, b in zip(*pair, strict=True)) for pair in zip(found, first, strict=True)]
    other = sum(difference > 0 for difference in differences)
    print(f"{name:52}{len(found):7}{other:9}{max(differences):12.2e}")


@asynccontextmanager
async def services(count: int) -> AsyncIterator[list[Service]]:
    """Run fresh services."""
    with tempfile.TemporaryDirectory() as folder:
        async with AsyncExitStack() as stack:
            found = []
            for number in range(count):
                path = Path(folder) / str(number)
                path.mkdir()
                _, client = await stack.enter_async_context(client_of(Authority.create(), path, **PATIENT))
                found.append(Service(client))
            yield found


async def run() -> None:
    """Ask in all ways and print the table."""
    texts = peers.tweets(TEXTS)
    pairs = [(text, max(text.split(), key=len, default="nadie")[:100]) for text in texts[:PAIRS]]
    mixed, back = shuffled(texts)
    print(f"{'':52}{'rows':>7}{'differ':>9}{'by at most':>12}")
    async with services(2) as both:
        first, first_pairs = await both[0].texts(texts, 1), await both[0].pairs(pairs, 1)
        for number, service in enumerate(both, 1):
            compared(f"service {number}, texts alone", await service.texts(texts, 1), first)
            compared(f"service {number}, texts in hundreds", await service.texts(texts, HUNDRED), first)
            found = await service.texts(mixed, HUNDRED)
            compared(f"service {number}, texts in hundreds, shuffled", [found[place] for place in back], first)
            compared(f"service {number}, pairs alone", await service.pairs(pairs, 1), first_pairs)
            compared(f"service {number}, pairs in fifties", await service.pairs(pairs, FIFTY), first_pairs)


def main() -> None:
    """Print the table."""
    uvloop.run(run())
