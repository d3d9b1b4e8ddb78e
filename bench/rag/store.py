"""rag-service's database for measurements, what is stored there, and how waiting is told."""

from __future__ import annotations

import random
import statistics
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import asynccontextmanager, contextmanager
from datetime import timedelta

from bench.stores import postgres_server, url_in
from bench.twitter.tweets import START, text_of
from castor_chassis import Postgres
from castor_chassis.storage.migrations import migrate
from rag_service.documents.model import Access, Draft

PAGE = 500
"""Tweets of a page of the feed."""
READER = Access("default", ("analyst",), "user:bench")
ENTITIES = ("petro", "fico", "fajardo", "hernandez")


@contextmanager
def database_at(url: str | None) -> Iterator[str]:
    """Yield a database: that at ``url``, or one of a PostgreSQL of its own."""
    if url is not None:
        yield url
        return
    with postgres_server() as server:
        yield url_in(server)


@asynccontextmanager
async def opened(url: str) -> AsyncIterator[Postgres]:
    """Bring the database up to date, and yield an open pool."""
    await migrate(url, "rag_service")
    database = Postgres(url, size=4, timeout_seconds=60)
    await database.open()
    yield database
    await database.close()


def waiting_of(seconds: Sequence[float]) -> tuple[float, float]:
    """Return p50 and p99 in milliseconds."""
    return 1000 * statistics.median(seconds), 1000 * statistics.quantiles(seconds, n=100)[98]


def tweets(first: int, count: int) -> list[Draft]:
    """Return tweets of the feed with these numbers, four a minute."""
    draw = random.Random(first)
    return [
        Draft(
            f"tweet:{number}",
            text_of(number, draw),
            "twitter",
            START + timedelta(seconds=15 * number),
            author=f"cuenta{number % 9973}",
            entities=[ENTITIES[number % 4]],
            metadata={"label": ("positive", "neutral", "negative")[number % 3], "lang": "es"},
            places=["bogota"] if number % 5 == 0 else [],
            datasets=["demo"],
        )
        for number in range(first, first + count)
    ]
