"""What former releases stored, and what the migrations make of it."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable

import asyncpg
import pytest
import pytest_asyncio

from castor_chassis.storage.migrations import migration_files

pytestmark = pytest.mark.asyncio(loop_scope="module")
Upgrade = Callable[[str], Awaitable[asyncpg.Connection]]


@pytest_asyncio.fixture(loop_scope="module")
async def upgrade(own_postgres_url: str) -> AsyncIterator[Upgrade]:
    """Applies the migrations before the one whose name begins so; without a name, all that are left."""
    connection = await asyncpg.connect(own_postgres_url)
    left = migration_files("twitter_service")

    async def apply(before: str = "") -> asyncpg.Connection:
        while left and not (before and left[0][0].startswith(before)):
            await connection.execute(left.pop(0)[1])
        return connection

    yield apply
    await connection.close()


async def test_retweets_of_several_versions_become_one(upgrade: Upgrade) -> None:
    """Also where one stands under the first version already; one that was deleted under any stays deleted."""
    connection = await upgrade("0022")
    await connection.execute(
        "INSERT INTO tweets (id, version_id, username, created_at, text, import_id, change_seq) "
        "VALUES (70, 72, 'ana', now(), 't', 'i', 1);"
        "INSERT INTO tweet_versions SELECT 70, n, now(), 't' FROM generate_series(70, 71) n"
    )
    rows = {
        "twice": [(71, False), (72, False)],
        "thrice, deleted once": [(70, False), (71, True), (72, False)],
        "deleted under the first": [(70, True), (72, False)],
        "once": [(72, False)],
        "of another tweet": [(5, False)],
    }
    retweets = [
        (original, number, None if deleted else name, deleted)
        for number, (name, stored) in enumerate(rows.items())
        for original, deleted in stored
    ]
    await connection.executemany("INSERT INTO retweets VALUES ($1, $2, $3, now(), $4)", retweets)
    await upgrade("0023")
    stored = await connection.fetch("SELECT * FROM retweets ORDER BY retweet_id")
    found = [(row["original_id"], row["author_id"], row["deleted"]) for row in stored]
    expected = [("twice", False), (None, True), (None, True), ("once", False)]
    assert found == [*((70, *each) for each in expected), (5, "of another tweet", False)]
