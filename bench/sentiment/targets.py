"""What targets cost: texts alone, with one target each, and with two, through the mTLS API.

    [CASTOR_FORMER_MODEL=FOLDER] .venv/bin/python -m bench sentiment_targets

``SENTIMENT_MODEL`` (default `bundled`) is what the service runs; ``CASTOR_FORMER_MODEL`` is the model folder of an
earlier release (`git archive COMMIT sentiment-service/sentiment_service/models | tar x -C FOLDER`), which a second
service runs: with version 1.1.0 rules answer for most targets, and the model for the rest. All ways take turns in short
rounds, so that what else runs on the machine disturbs all alike. The texts are those of ``throughput``; the targets of
a text are its longest words, so that each is named. `questions` are inferences: one of a text, one of each target.
"""

from __future__ import annotations

import asyncio
import os
import tempfile
from collections.abc import Callable, Sequence
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any

import uvloop

from bench.sentiment import processes as peers
from bench.sentiment.throughput import MODEL, ROUND_TEXTS, ROUNDS, Row, api, client_of, timed
from castor_chassis.client.transport import httpx
from castor_chassis.testing import Authority

A_CALL, CALLERS = 50, 2
FORMER = os.environ.get("CASTOR_FORMER_MODEL")


def item(number: int, text: str, targets: int) -> dict[str, Any]:
    """Return what is asked about a text: ``targets`` of its longest words."""
    words = sorted(dict.fromkeys(word for word in text.split() if word.isalpha()), key=len, reverse=True)
    return {"id": str(number), "text": text, "targets": words[:targets] or ["nadie"]}


async def towards(client: httpx.AsyncClient, texts: Sequence[str], targets: int) -> None:
    """Ask for so many targets of each text."""
    todo = iter([texts[start : start + A_CALL] for start in range(0, len(texts), A_CALL)])

    async def work() -> None:
        for some in todo:
            items = [item(number, text, targets) for number, text in enumerate(some)]
            answer = await client.post("/v1/sentiment/targets", json={"items": items}, timeout=120)
            answer.raise_for_status()

    await asyncio.gather(*(work() for _ in range(CALLERS)))


def ways_of(name: str, worker: peers.Worker, client: httpx.AsyncClient) -> list[tuple[Row, peers.Worker, Any]]:
    """Return the ways to ask one service: a row, the process, and a call."""
    calls: dict[str, Callable[[Sequence[str]], Any]] = {
        "texts": lambda some: api(client, some, A_CALL, CALLERS),
        "one target a text": lambda some: towards(client, some, 1),
        "two targets a text": lambda some: towards(client, some, 2),
    }
    return [(Row(f"{name}, {way}"), worker, call) for way, call in calls.items()]


async def measure(stack: AsyncExitStack, folder: Path) -> list[Row]:
    """Let all ways take turns; return their rows, three for each model."""
    texts, ways = peers.tweets(ROUNDS * ROUND_TEXTS), []
    for number, model in enumerate(filter(None, (MODEL, FORMER))):
        place = folder / str(number)
        place.mkdir()
        given = {"sentiment_model": model, "queue_max_seconds": 60}
        worker, client = await stack.enter_async_context(client_of(Authority.create(), place, **given))
        ways += ways_of("this model" if number == 0 else "the former", worker, client)
    for number in range(ROUNDS):
        mine = texts[number * ROUND_TEXTS : (number + 1) * ROUND_TEXTS]
        for row, worker, call in ways:
            await timed(row, worker, mine, lambda call=call, some=mine: call(some))  # type: ignore[misc]
    return [row for row, *_ in ways]


def lines(rows: Sequence[Row]) -> list[str]:
    """Return the table: of each way texts and questions a second, CPU of a text, and that of texts alone as 1."""
    found = []
    for at, row in enumerate(rows):
        alone, questions = rows[at - at % 3], max(1, at % 3)
        found.append(
            f"{row.name:34}{row.rate:9.1f}{row.rate * questions:13.1f}{row.cpu:9.1f}{row.cpu / alone.cpu:9.2f}"
        )
    return found


async def run() -> None:
    """Measure and print the table."""
    with tempfile.TemporaryDirectory() as folder:
        async with AsyncExitStack() as stack:
            rows = await measure(stack, Path(folder))
    print(f"{rows[0].texts} tweets in {ROUNDS} rounds, {A_CALL} a call, {CALLERS} callers, cache off,", end=" ")
    print(f"load average {os.getloadavg()[0]:.1f}")
    print(f"{'':34}{'texts/s':>9}{'questions/s':>13}{'CPU ms':>9}{'x texts':>9}")
    print("\n".join(lines(rows)))


def main() -> None:
    """Print the table."""
    uvloop.run(run())
