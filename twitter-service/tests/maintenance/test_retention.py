"""Retention: what is too old is erased, here and in every consumer."""

# A file of its own: the service that other tests share would hold the lease on this work.

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta

import asyncpg
import pytest

from ..conftest import Start, csv_of

pytestmark = pytest.mark.asyncio(loop_scope="module")


async def test_retention_erases_through_the_feed_and_empties_partitions(
    start_twitter: Start, database: asyncpg.Connection
) -> None:
    """Old tweets become tombstones in the feed, whole old partitions are emptied, young tweets stay."""
    old = 1_100_000_000_000_000_000  # a snowflake of 2019
    rows = [(old + n, "ana", f"2019-02-25T10:00:0{n}Z", "vieja") for n in range(5)]
    young = (datetime.now(UTC) - timedelta(days=1)).strftime("%Y-%m-%dT%H:%M:%SZ")
    async with start_twitter(retention_days=30, tombstone_days=36_500, retention_sweep_seconds=0.3) as twitter:
        await twitter.imported(csv_of([*rows, (2_000_000_000_000_000_000, "eva", young, "nueva")]))
        async with asyncio.timeout(60):
            while (await twitter.data("/scores/progress"))["tweets"] > 1:
                await asyncio.sleep(0.05)
        items = await twitter.whole_feed()
        assert sorted(item["id"] for item in items if item["deleted"]) == [str(row[0]) for row in rows]
        assert all(not item["text"] for item in items if item["deleted"])
        assert [t["text"] for t in (await twitter.data("/tweets"))["items"]] == ["nueva"]
    async with start_twitter(retention_days=30, tombstone_days=1, retention_sweep_seconds=0.3) as twitter:
        async with asyncio.timeout(60):
            while await database.fetchval("SELECT EXISTS (SELECT FROM tweets_2019)"):
                await asyncio.sleep(0.05)
        assert [item["id"] for item in await twitter.whole_feed()] == ["2000000000000000000"]
