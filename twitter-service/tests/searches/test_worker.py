"""What becomes of a job that fails or breaks off."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace
from typing import Any, Literal

import asyncpg
import pytest
import pytest_asyncio

from castor_chassis import Postgres, Wakeup
from castor_chassis.testing import until
from twitter_service.billing.budget import BudgetLimits, Payer, Prices
from twitter_service.billing.ledger import Ledger
from twitter_service.billing.repository import LedgerRepository
from twitter_service.collections.model import Collection, NewCollection
from twitter_service.collections.repository import CollectionRepository
from twitter_service.searches.model import ClaimedJob, NewJob
from twitter_service.searches.repository import SearchRepository
from twitter_service.searches.worker import JobRunner, SearchWorker
from twitter_service.x.client import XPage
from twitter_service.x.errors import XRejected, XUnauthorized
from twitter_service.x.span import Span

from ..x_kit import empty_x

pytestmark = pytest.mark.asyncio(loop_scope="module")
PAYER = Payer("ana", "trending", "default")


class Answers:
    """Stands where X, the ledger and the store of pages do; ``error`` is what X answers, None: an empty page."""

    def __init__(self, error: Exception | None) -> None:
        self.error = error

    async def search(self, *_: Any, **__: Any) -> XPage:
        if self.error:
            raise self.error
        return XPage([])

    async def store(self, _page: XPage, _job: str) -> Any:
        return SimpleNamespace(ids=[], stored=0, duplicates=0, rejected=0)

    async def charge(self, *_: Any) -> Any:
        return SimpleNamespace(read=0, billed=SimpleNamespace(posts=0, micro_usd=0))

    async def reserve(self, *_: Any) -> None: ...

    async def reserve_some(self, *_: Any) -> int:
        return 10

    async def release(self, *_: Any) -> None: ...


class Posts:
    """Stands where X and the store of pages do: X has ``count`` posts, and serves as many as it is asked for."""

    def __init__(self, count: int) -> None:
        self.count = count
        self.served: list[int] = []

    async def search(self, _query: str, _span: Span, token: str | None, *, size: int, **_: Any) -> XPage:
        first = int(token or 0)
        ids = range(first, min(first + size, self.count))
        self.served.append(len(ids))
        return XPage([{"id": str(n)} for n in ids], next_token=str(ids.stop) if ids.stop < self.count else None)

    async def store(self, page: XPage, _job: str) -> Any:
        return SimpleNamespace(
            ids=[int(post["id"]) for post in page.tweets], stored=len(page.tweets), duplicates=0, rejected=0
        )


def ledger(postgres: Postgres, daily_posts: int) -> Ledger:
    """A ledger of the whole account's posts a day, half of them for the payer's purpose."""
    limits = BudgetLimits((daily_posts, None), (None, 75.0), {PAYER.purpose: 0.5}, 1.0)
    return Ledger(LedgerRepository(postgres, lease_seconds=60), limits, Prices(0.005, 0.01))


@pytest_asyncio.fixture(loop_scope="module")
async def postgres(database: asyncpg.Connection, migrated: str) -> AsyncIterator[Postgres]:
    """A store in which nothing was asked of X."""
    await empty_x(database)
    made = Postgres(migrated)
    await made.open()
    yield made
    await made.close()


def runner(postgres: Postgres, x: Any, **more: Any) -> JobRunner:
    return JobRunner(x, SearchRepository(postgres), x, x, **{"max_attempts": 1, **more})


async def followed(postgres: Postgres) -> Collection:
    new = NewCollection("paro", "Paro", "stream", {"any_of": ["paro"]}, PAYER.purpose, 10, 100)
    return await CollectionRepository(postgres).add(new, PAYER)


async def gap(
    postgres: Postgres, key: str, ends_at: datetime, cap: int = 100, kind: Literal["gap", "collection"] = "gap"
) -> None:
    """Queue what the stream missed, or the run of a collection."""
    new = NewJob("gap", kind, PAYER, {}, ["paro"], Span(None, ends_at, since_id=1), cap, collection_id=key)
    assert await SearchRepository(postgres).add(new)


async def claimed(postgres: Postgres) -> ClaimedJob:
    (job,) = await SearchRepository(postgres).claim("here", 1, 60)
    return job


async def facts(postgres: Postgres) -> tuple[Any, ...]:
    """Return the state of the job, its error code, and that of its collection."""
    row = await postgres.fetchrow(
        "SELECT s.state, s.error_code, c.error_code FROM x_searches s LEFT JOIN x_collections c "
        "ON c.key = s.collection_id"
    )
    assert row is not None
    return tuple(row)


@pytest.mark.parametrize(
    "error",
    [XUnauthorized(status=401, reason="no"), XRejected(status=400, reason="no"), TypeError("a page nobody expected")],
)
async def test_a_gap_whose_job_fails_is_tried_again_and_seen(postgres: Postgres, error: Exception) -> None:
    """It waits for the next run of its collection, which says what is wrong until the gap is read."""
    collection = await followed(postgres)
    await gap(postgres, collection.key, datetime.now(UTC) - timedelta(minutes=1))
    await runner(postgres, Answers(error)).run(await claimed(postgres))
    state, code, seen = await facts(postgres)
    assert (state, seen) == ("paused", code)
    assert code == getattr(error, "code", "unavailable")
    (waiting,) = await CollectionRepository(postgres).unfinished_jobs(collection.key)
    await SearchRepository(postgres).requeue(waiting.id, collection.max_posts)
    again = await claimed(postgres)
    assert again.attempts == 0
    await runner(postgres, Answers(None)).run(again)
    assert await facts(postgres) == ("done", None, None)
    assert await postgres.fetchval("SELECT since_id FROM x_collections") is None


async def test_a_gap_that_x_can_no_longer_find_is_given_up_and_seen(postgres: Postgres) -> None:
    """Beyond the days of recent search no run can read it."""
    collection = await followed(postgres)
    await gap(postgres, collection.key, datetime.now(UTC) - timedelta(days=8))
    await runner(postgres, Answers(XRejected(status=400, reason="no"))).run(await claimed(postgres))
    state, code, seen = await facts(postgres)
    assert (state, seen) == ("failed", code)


async def test_a_job_that_breaks_off_is_counted_and_ends(postgres: Postgres) -> None:
    """After its attempts it has failed, instead of running for ever."""
    new = NewJob("broken", "search", PAYER, {}, ["paro"], Span(None, None), 100)
    await SearchRepository(postgres).add(new)
    for expected in ("queued", "failed"):
        await postgres.execute("UPDATE x_searches SET not_before = now()")
        await runner(postgres, Answers(TypeError("?")), max_attempts=2).run(await claimed(postgres))
        assert (await facts(postgres))[0] == expected


async def test_the_lease_of_a_job_that_was_left_lapses(postgres: Postgres) -> None:
    """A worker renews the jobs that it runs, not those whose end it could not record; these are claimed again."""
    new = NewJob("left", "search", PAYER, {}, ["paro"], Span(None, None), 100)
    await SearchRepository(postgres).add(new)
    runs: list[str] = []

    async def run(job: ClaimedJob) -> None:
        runs.append(job.id)
        if len(runs) == 1:
            raise RuntimeError("the database was away")
        await SearchRepository(postgres).end(job, complete=True)

    made: Any = SimpleNamespace(run=run)
    worker = SearchWorker(SearchRepository(postgres), made, Wakeup(), concurrency=2, lease_seconds=0.5)
    running = asyncio.ensure_future(worker.run())

    async def is_done() -> bool:
        return (await facts(postgres))[0] == "done"

    try:
        await until(is_done)
    finally:
        running.cancel()
    assert len(runs) >= 2


@pytest.mark.parametrize("kind", ["gap", "collection"])
async def test_a_cap_above_the_budget_hinders_no_run(postgres: Postgres, kind: Literal["gap", "collection"]) -> None:
    """Of the usual cap of 1,000 posts a run reads what there is, though the usual budget of a day covers 250."""
    collection = await followed(postgres)
    await gap(postgres, collection.key, datetime.now(UTC), 1000, kind)
    x, book = Posts(230), ledger(postgres, 500)
    await JobRunner(x, SearchRepository(postgres), book, x, max_attempts=1).run(await claimed(postgres))
    assert (await facts(postgres), x.served) == (("done", None, None), [100, 100, 30])
    assert (await book.statuses(PAYER))[0].spent.posts == 230


async def test_a_run_reads_what_the_budget_leaves_and_goes_on_with_the_next(postgres: Postgres) -> None:
    """It is paused where less than a page of X's is left, holds nothing meanwhile, and misses nothing."""
    collection = await followed(postgres)
    await gap(postgres, collection.key, datetime.now(UTC), 1000)
    x, searches = Posts(300), SearchRepository(postgres)
    for daily, state, served in (
        (250, ("paused", "budget_spent", "budget_spent"), [100, 25]),
        (250, ("paused", "budget_spent", "budget_spent"), [100, 25]),
        (268, ("paused", "budget_spent", "budget_spent"), [100, 25]),
        (1000, ("done", None, None), [100, 25, 100, 75]),
    ):
        book = ledger(postgres, daily)
        await JobRunner(x, searches, book, x, max_attempts=1).run(await claimed(postgres))
        assert (await facts(postgres), x.served) == (state, served)
        assert (await book.statuses(PAYER))[0].reserved.posts == 0
        await searches.requeue("gap", 1000)
