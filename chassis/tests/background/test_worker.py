"""Background work: supervision, leases, followers."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field

import pytest

from castor_chassis import Postgres, Unavailable, follow, run_under_lease
from castor_chassis.background.supervisor import Workers


async def opened(url: str) -> Postgres:
    postgres = Postgres(url, size=4)
    await postgres.open()
    return postgres


async def test_failed_work_is_started_again() -> None:
    """Work that raises, for whatever reason, is restarted until it succeeds."""
    faults: list[Exception] = [ValueError("bug"), Unavailable(reason="away")]
    done = asyncio.Event()

    async def work() -> None:
        if faults:
            raise faults.pop()
        done.set()

    workers = Workers()
    workers.spawn("test", work)
    await asyncio.wait_for(done.wait(), 5)
    await workers.stop()


async def test_stop_cancels_and_waits() -> None:
    """After stopping, no work is left running."""
    cleaned = asyncio.Event()

    async def work() -> None:
        try:
            await asyncio.sleep(60)
        finally:
            cleaned.set()

    workers = Workers()
    workers.spawn("test", work)
    await asyncio.sleep(0.01)
    await workers.stop()
    assert cleaned.is_set()


async def test_stop_ends_work_whose_clean_up_fails() -> None:
    """An error that takes the place of the cancellation does not start the work again."""
    starts = 0

    async def work() -> None:
        nonlocal starts
        starts += 1
        try:
            await asyncio.sleep(60)
        finally:
            raise ValueError("the clean-up failed")

    workers = Workers()
    workers.spawn("test", work)
    await asyncio.sleep(0.01)
    await asyncio.wait_for(workers.stop(), 10)
    await asyncio.sleep(0.5)
    assert starts == 1


async def test_stop_asks_again_when_a_cancellation_is_lost() -> None:
    """Work that swallows a cancellation ends all the same."""
    lost = 0

    async def work() -> None:
        nonlocal lost
        while lost < 2:
            try:
                await asyncio.sleep(60)
            except asyncio.CancelledError:
                lost += 1
        await asyncio.sleep(60)

    workers = Workers()
    workers.spawn("test", work)
    await asyncio.sleep(0.01)
    await asyncio.wait_for(workers.stop(patience_seconds=0.05), 10)
    assert lost == 2


async def test_one_replica_works_and_another_takes_over(postgres_url: str) -> None:
    """Of two replicas one works; when it is gone, the other begins."""
    first, second = await opened(postgres_url), await opened(postgres_url)
    running: set[str] = set()

    def worker(name: str) -> asyncio.Task[None]:
        async def work() -> None:
            running.add(name)
            try:
                await asyncio.sleep(60)
            finally:
                running.discard(name)

        postgres = first if name == "first" else second
        return asyncio.ensure_future(run_under_lease(postgres, "takeover", work, poll_seconds=0.1))

    one = worker("first")
    await asyncio.sleep(0.4)
    two = worker("second")
    await asyncio.sleep(0.4)
    assert running == {"first"}
    one.cancel()
    await asyncio.gather(one, return_exceptions=True)
    await asyncio.sleep(0.5)
    assert running == {"second"}
    two.cancel()
    await asyncio.gather(two, return_exceptions=True)
    await first.close()
    await second.close()


async def test_lost_session_stops_the_work(postgres_url: str) -> None:
    """When the session that holds the lease breaks, its work is stopped: another may have begun."""
    postgres = await opened(postgres_url)
    stopped = asyncio.Event()

    async def work() -> None:
        try:
            await asyncio.sleep(60)
        finally:
            stopped.set()

    lease = asyncio.ensure_future(run_under_lease(postgres, "lost", work, poll_seconds=0.1))
    await asyncio.sleep(0.4)
    killer = await opened(postgres_url)
    await killer.execute(
        "SELECT pg_terminate_backend(pid) FROM pg_locks WHERE locktype = 'advisory' AND pid <> pg_backend_pid()"
    )
    await asyncio.wait_for(stopped.wait(), 5)
    with pytest.raises(Exception, match="database|closed|terminat"):
        await lease
    await postgres.close()
    await killer.close()


@dataclass
class Page:
    """A page of the test's feed."""

    items: list[int]
    next_cursor: str


@dataclass
class Feed:
    """Ten numbers, three a page; the consumer's store."""

    stored: list[int] = field(default_factory=list)
    cursor: str = "0"
    crash_once: bool = True

    async def load(self) -> str:
        return self.cursor

    async def fetch(self, cursor: str) -> Page:
        start = int(cursor)
        items = list(range(start, min(start + 3, 10)))
        return Page(items, str(start + len(items)))

    async def apply(self, items: list[int], next_cursor: str) -> None:
        if self.crash_once and items[0] >= 3:
            self.crash_once = False
            raise Unavailable(reason="database away")
        self.stored += items
        self.cursor = next_cursor


async def test_follower_takes_every_item_once_through_a_crash() -> None:
    """A page that could not be stored is fetched again; none is lost, none is stored twice."""
    feed = Feed()
    workers = Workers()
    workers.spawn(
        "feed",
        lambda: follow("numbers", load_cursor=feed.load, fetch=feed.fetch, apply=feed.apply, idle_seconds=0.01),
    )
    for _ in range(300):
        if len(feed.stored) == 10:
            break
        await asyncio.sleep(0.02)
    await workers.stop()
    assert feed.stored == list(range(10))
