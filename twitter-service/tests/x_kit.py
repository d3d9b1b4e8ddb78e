"""What the tests of searches, collections and streams share: a service beside a fake X."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from typing import Any

import asyncpg

from castor_devstack.fake_x.corpus import Corpus, filled, invented
from castor_devstack.fake_x.limits import Limits
from castor_devstack.fake_x.server import FakeX

from .conftest import Twitter

X_TABLES = ("x_spending", "x_organisation_spending", "x_reservations", "x_billed", "x_searches", "x_collections")
SETTINGS: Mapping[str, Any] = {
    "x_bearer_token": "key",
    "x_reset_margin_seconds": 0.05,
    "x_daily_posts": 100_000,
    "x_monthly_posts": 100_000,
    "x_monthly_usd": 10_000,
    "x_trending_share": 1,
    "x_analysis_share": 1,
    "breaker_reset_seconds": 1,
    "redis_timeout_seconds": 5,
    "rate_limit": "100000/minute",
}


@asynccontextmanager
async def fake_x(posts: int | Corpus = 400, *, window_seconds: int = 2) -> AsyncIterator[FakeX]:
    """A fake X with short windows."""
    corpus = filled(invented(posts)) if isinstance(posts, int) else posts
    fake = FakeX(corpus, limits=Limits(window_seconds=window_seconds), latency_seconds=0.005)
    await fake.start()
    try:
        yield fake
    finally:
        await fake.stop()


def with_x(
    start: Callable[..., AbstractAsyncContextManager[Twitter]], fake: FakeX, redis_url: str, **settings: Any
) -> AbstractAsyncContextManager[Twitter]:
    """Start the service with a key for the fake X."""
    return start(**{**SETTINGS, "x_base_url": fake.url, "redis_url": redis_url, **settings})


async def empty_x(database: asyncpg.Connection) -> None:
    """Forget all that was read from X and what it cost."""
    await database.execute(f"TRUNCATE {', '.join(X_TABLES)}")


async def finished(twitter: Twitter, search: Mapping[str, Any]) -> Any:
    """Wait for the end of a search."""
    while True:
        found = await twitter.data(f"/searches/{search['id']}", wait=20)
        if found["state"] in ("done", "failed"):
            return found


async def stored_ids(database: asyncpg.Connection) -> set[int]:
    """Return the ids of all stored tweets."""
    return {row["id"] for row in await database.fetch("SELECT id FROM tweets")}
