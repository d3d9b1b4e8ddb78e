"""Retention: what is too old is erased, here and in every consumer."""

# A file of its own: the service that other tests share would hold the lease on this work.

from __future__ import annotations

import asyncio
import json
from collections import Counter
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta

import asyncpg
import pytest
import pytest_asyncio

from castor_chassis import Postgres
from castor_chassis.testing import until
from twitter_service.maintenance.retention_repository import DEPENDENT_TABLES, RetentionRepository

from ..conftest import FIRST_ID, USER, Start, Twitter, csv_of, page_of

pytestmark = pytest.mark.asyncio(loop_scope="module")


@pytest_asyncio.fixture(loop_scope="module")
async def repository(migrated: str) -> AsyncIterator[RetentionRepository]:
    """The repository on the same database."""
    postgres = Postgres(migrated)
    await postgres.open()
    yield RetentionRepository(postgres)
    await postgres.close()


async def swept(repository: RetentionRepository) -> list[str]:
    """Empty what is due with a retention of 30 days and tombstones of one; return the names of the partitions."""
    now = datetime.now(UTC)
    return await repository.drop_before(now - timedelta(days=30), now - timedelta(days=1))


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
    await database.execute("UPDATE tweets SET erased_at = now() - interval '2 days' WHERE deleted")
    async with start_twitter(retention_days=30, tombstone_days=1, retention_sweep_seconds=0.3) as twitter:
        async with asyncio.timeout(60):
            while await database.fetchval("SELECT EXISTS (SELECT FROM tweets_2019)"):
                await asyncio.sleep(0.05)
        assert [item["id"] for item in await twitter.whole_feed()] == ["2000000000000000000"]


async def test_without_a_retention_authors_without_tweets_are_erased(
    start_twitter: Start, database: asyncpg.Connection
) -> None:
    """Of whom nothing is left but a retweet's profile, nothing is kept; who wrote something stays."""
    async with start_twitter(retention_days=0, retention_sweep_seconds=0.3) as twitter:
        await twitter.imported(csv_of([(2_000_000_000_000_000_000, "eva", "2022-05-01T00:00:00Z", "nueva")]))
        await database.executemany(
            "INSERT INTO authors (key, username, observed_at) VALUES ($1, $2, now() - interval '2 hours')",
            [("1", "gone"), ("2", "Eva"), *((f"x{n}", f"gone{n}") for n in range(20))],
        )

        async def only_eva() -> bool:
            return [row["key"] for row in await database.fetch("SELECT key FROM authors WHERE username <> 'eva'")] == [
                "2"
            ]

        await until(only_eva)


async def test_a_renamed_author_stays_while_any_tweet_is_left(
    twitter: Twitter, database: asyncpg.Connection, repository: RetentionRepository
) -> None:
    """Whoever changed the handle keeps the profile, in a sweep and when the one tweet of the new handle is erased."""
    for key, handle in ((FIRST_ID, "old"), (FIRST_ID + 1, "new")):
        await twitter.imported(page_of({"id": str(key)}, users=[{**USER, "username": handle}]))

    async def sweep() -> list[str]:
        await database.execute("UPDATE authors SET observed_at = now() - interval '2 hours'")
        await repository.delete_authors(10)
        return [row["key"] for row in await database.fetch("SELECT key FROM authors ORDER BY key")]

    await twitter.send("POST", "/erasures", {"ids": [str(FIRST_ID + 1)]})
    assert await sweep() == [USER["id"]]
    await twitter.imported(
        page_of({"id": str(FIRST_ID + 2), "author_id": "8"}, users=[{**USER, "id": "8", "username": "new"}])
    )
    assert await sweep() == [USER["id"], "8"]
    await twitter.send("POST", "/erasures", {"ids": [str(FIRST_ID)]})
    assert await database.fetch("SELECT FROM authors WHERE key = $1", USER["id"]) == []
    assert await sweep() == ["8"]


async def test_retweets_and_authors_are_deleted_a_batch_at_a_time(
    database: asyncpg.Connection, repository: RetentionRepository
) -> None:
    """More than one batch is deleted, and nothing else."""
    old, young = datetime(2020, 1, 1, tzinfo=UTC), datetime(2030, 1, 1, tzinfo=UTC)
    rows = [(1, n, old if n < 25 else young) for n in range(30)]
    await database.executemany("INSERT INTO retweets VALUES ($1, $2, NULL, $3)", rows)
    await database.executemany(
        "INSERT INTO authors (key, username, observed_at) VALUES ($1, $1, $2)",
        [(f"a{n}", old if n < 25 else young) for n in range(30)],
    )
    horizon = datetime(2025, 1, 1, tzinfo=UTC)
    assert [await repository.delete_retweets_before(horizon, 10) for _ in range(4)] == [10, 10, 5, 0]
    await repository.delete_authors(7)
    assert await database.fetchval("SELECT count(*) FROM retweets") == 5
    assert await database.fetchval("SELECT count(*) FROM authors") == 5


async def test_erased_ids_go_when_no_file_could_bring_them(
    database: asyncpg.Connection, repository: RetentionRepository
) -> None:
    """Those erased long ago go a batch at a time, unless the retention would keep a tweet with this id."""
    old, young = datetime(2020, 1, 1, tzinfo=UTC), datetime(2030, 1, 1, tzinfo=UTC)
    rows = [(n, old if n <= 5 else young) for n in range(1, 8)]
    await database.executemany("INSERT INTO erased_ids VALUES ($1, $2)", [*rows, (2_000_000_000_000_000_000, old)])
    horizon = datetime(2025, 1, 1, tzinfo=UTC)
    assert [await repository.delete_erased_ids_before(horizon, horizon, 2) for _ in range(4)] == [2, 2, 1, 0]
    left = await database.fetch("SELECT id FROM erased_ids ORDER BY id")
    assert [row["id"] for row in left] == [6, 7, 2_000_000_000_000_000_000]


async def test_jobs_that_ended_long_ago_are_deleted(
    database: asyncpg.Connection, repository: RetentionRepository
) -> None:
    """More than a batch; what ended lately, runs, waits or is paused stays."""
    await database.execute("DELETE FROM x_searches")
    await database.execute(
        "INSERT INTO x_searches (id, kind, tenant, purpose, request, queries, archive, max_posts, state, finished_at) "
        "SELECT s || n, 'search', 't', 'analysis', '{}', '{}', false, 10, s, "
        "CASE WHEN s IN ('done', 'failed') THEN now() - n * interval '1 day' END "
        "FROM unnest(ARRAY['done', 'failed', 'queued', 'paused']) s, generate_series(1, 10) n"
    )
    await database.execute(
        "INSERT INTO imports (id, format, state, finished_at) SELECT s || n, 'csv', s, now() - n * interval '1 day' "
        "FROM unnest(ARRAY['done', 'running']) s, generate_series(1, 10) n"
    )
    moment = datetime.now(UTC) - timedelta(days=5, hours=12)
    assert [await repository.delete_jobs_before(moment, 4) for _ in range(4)] == [8, 5, 2, 0]
    left = await database.fetch("SELECT state FROM x_searches UNION ALL SELECT 'import ' || state FROM imports")
    counts = Counter(row["state"] for row in left)
    assert counts == {"done": 5, "failed": 5, "queued": 10, "paused": 10, "import done": 5, "import running": 10}


async def test_tombstones_stay_from_their_erasure_on(
    twitter: Twitter, database: asyncpg.Connection, repository: RetentionRepository
) -> None:
    """However old a tweet is, consumers have the time of the setting to learn that it was erased."""
    old = 1_100_000_000_000_000_000
    await twitter.imported(csv_of([(old + n, "ana", "2019-02-25T10:00:00Z", "vieja") for n in range(3)]))
    await twitter.settled()
    await twitter.send("POST", "/erasures", {"ids": [str(old)]})
    while await repository.erase_before(datetime.now(UTC) - timedelta(days=30), 2):
        pass
    assert await swept(repository) == []
    assert [item["deleted"] for item in await twitter.whole_feed()] == [True, True, True]
    await database.execute("UPDATE tweets SET erased_at = now() - interval '2 days' WHERE id > $1", old)
    assert await swept(repository) == []
    await database.execute("UPDATE tweets SET erased_at = now() - interval '2 days'")
    assert await swept(repository) == ["tweets_2019"]
    assert await twitter.whole_feed() == []


async def test_what_belongs_to_a_young_tweet_with_a_small_id_stays(
    twitter: Twitter, database: asyncpg.Connection, repository: RetentionRepository
) -> None:
    """Files that number their tweets themselves say nothing of the time by their ids."""
    young = (datetime.now(UTC) - timedelta(days=1)).strftime("%Y-%m-%dT%H:%M:%SZ")
    await twitter.track("Ana")
    lines = [{"id": str(n), "username": "ana", "created_at": young, "text": "hola"} for n in (1, 2)]
    await twitter.imported("\n".join(json.dumps(line) for line in lines))
    await twitter.settled()
    assert await swept(repository) == []
    for table in DEPENDENT_TABLES:
        assert await database.fetchval(f"SELECT count(*) FROM {table}") == 2, table
    await database.execute("DELETE FROM tweets WHERE id = 1")
    assert await swept(repository) == []
    await database.execute("DELETE FROM tweets")
    assert await swept(repository) == [f"{table}_to_2016" for table in DEPENDENT_TABLES]
