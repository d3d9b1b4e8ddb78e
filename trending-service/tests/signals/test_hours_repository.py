"""Counts by hour on a real PostgreSQL: always those of the tweets, whoever counted them and when."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import asyncpg
import pytest

from castor_chassis import DatabaseUnavailable, Postgres
from castor_chassis.testing import past_full_hour
from trending_service.signals import hours_repository
from trending_service.signals.counts import HourlyCounts
from trending_service.signals.hours_repository import HoursRepository
from trending_service.signals.model import Window
from trending_service.signals.repository import SignalRepository

if TYPE_CHECKING:
    from conftest import Fill, Stream

NOON = datetime(2022, 5, 29, 12, tzinfo=UTC)
WINDOW = Window(NOON - timedelta(days=7), NOON, NOON + timedelta(hours=1))


def _plain(counts: HourlyCounts) -> tuple[list[int], dict[str, dict[int, int]]]:
    return counts.stream.tolist(), {
        term: dict(sorted(zip(*found, strict=True))) for term, found in sorted(counts.terms.items())
    }


async def _baseline(hours: HoursRepository) -> tuple[list[int], dict[str, dict[int, int]]]:
    return _plain((await hours.baseline(WINDOW, ["paro", "agua"])).unpack())


def _week(stream: Stream) -> None:
    for number in range(60):
        at = NOON - timedelta(hours=2.7 * number + 1)
        stream.tweet(at, f"a{number % 7}", f"palabra{number} {'paro' if number % 2 else 'agua'} otra{number}")


class Between(Postgres):
    """Does something after the first statement that holds a text and before the next, of a transaction."""

    def __init__(self, postgres: Postgres, what: dict[str, Callable[[], Awaitable[Any]]]) -> None:
        self._other = postgres
        self._what = what

    @asynccontextmanager
    async def transaction(self) -> AsyncIterator[asyncpg.Connection]:
        """Lend a connection of ``postgres``."""
        async with self._other.transaction() as connection:
            self._connection = connection
            yield self  # type: ignore[misc]

    async def fetch(self, sql: str, *args: Any, **limits: Any) -> list[asyncpg.Record]:
        """Run a statement, then what comes after it."""
        found = await self._connection.fetch(sql, *args, **limits)
        for text in [text for text in self._what if text in sql]:
            await self._what.pop(text)()
        return list(found)

    execute = fetch  # type: ignore[assignment]


async def test_counted_or_not_the_numbers_are_the_same(hours: HoursRepository, fill: Fill, stream: Stream) -> None:
    """Before, while and after hours are counted a question gets the counts of the tweets."""
    _week(stream)
    await fill(stream.changes)
    before = await _baseline(hours)
    assert sum(before[0]) == 60
    assert sum(before[1]["paro"].values()) == 30
    while await hours.roll_up(limit=1, quiet_seconds=0):
        assert await _baseline(hours) == before


async def test_a_late_tweet_and_a_deleted_one_change_their_own_hour(
    hours: HoursRepository, fill: Fill, stream: Stream
) -> None:
    """The hour of a tweet that comes, goes or is corrected is counted anew, and no other."""
    _week(stream)
    await fill(stream.changes)
    await hours.roll_up(limit=1000, quiet_seconds=0)
    before = await _baseline(hours)
    late = stream.tweet(NOON - timedelta(hours=30), "tarde", "llega tarde el paro")
    await fill([late])
    assert sum((await _baseline(hours))[1]["paro"].values()) == 31
    assert await hours.roll_up(quiet_seconds=0) == 1
    assert sum((await _baseline(hours))[0]) == 61
    await fill([stream.change(**{**late, "deleted": True})])
    await hours.roll_up(quiet_seconds=0)
    assert await _baseline(hours) == before


async def test_replicas_share_the_hours_and_none_is_counted_twice(
    hours: HoursRepository, fill: Fill, stream: Stream, postgres: Postgres
) -> None:
    """Four that count at once take different days; the result is that of one."""
    _week(stream)
    await fill(stream.changes)
    before = await _baseline(hours)

    async def replica() -> int:
        taken = 0
        while found := await hours.roll_up(limit=1, quiet_seconds=0):
            taken += found
        return taken

    took = await asyncio.gather(*(replica() for _ in range(4)))
    assert sum(took) == await postgres.fetchval("SELECT count(*) FROM stream_hours")
    assert await _baseline(hours) == before


async def test_a_replica_counts_other_days_while_one_is_being_counted(
    hours: HoursRepository, fill: Fill, stream: Stream, postgres: Postgres
) -> None:
    """The oldest day is taken: the next one is counted, and no day waits for another."""
    _week(stream)
    await fill(stream.changes)
    taken = []

    async def another() -> None:
        taken.append(await hours.roll_up(limit=1, quiet_seconds=0))

    between = Between(postgres, {"DELETE FROM stale_hours": another})
    assert await HoursRepository(between).roll_up(limit=1, quiet_seconds=0) > 0
    assert taken[0] > 0


@pytest.mark.parametrize(
    ("after_deletion", "after_arrival", "left"),
    [("INSERT INTO term_days", None, 2), ("DELETE FROM stream_hours", "INSERT INTO stream_hours", 3)],
)
async def test_a_page_between_two_statements_leaves_no_wrong_count(
    hours: HoursRepository,
    fill: Fill,
    stream: Stream,
    postgres: Postgres,
    after_deletion: str,
    after_arrival: str | None,
    left: int,
) -> None:
    """The last tweets of an hour go, and others come, while its day is counted anew for another hour."""
    other = NOON - timedelta(hours=30)
    await fill([stream.tweet(other, "ana", "paro"), only := stream.tweet(other + timedelta(hours=2), "eva", "un paro")])
    await hours.roll_up(quiet_seconds=0)
    await fill([stream.tweet(other, "luis", "otro paro")])
    what = {after_deletion: lambda: fill([stream.change(**{**only, "deleted": True})])}
    if after_arrival:
        arrival = other + timedelta(hours=2)
        what[after_arrival] = lambda: fill([stream.tweet(arrival, "eva", "paro de nuevo")])
    assert await HoursRepository(Between(postgres, what)).roll_up(limit=1, quiet_seconds=0) == 1
    assert not what
    for rest in (1, 0):
        counts = (await hours.baseline(WINDOW, ["paro"])).unpack()
        assert (counts.total, counts.seen("paro")) == (left, left)
        assert await hours.roll_up(quiet_seconds=0) == rest


async def test_a_day_of_many_tweets_is_counted_in_slices_with_their_own_limit(
    hours: HoursRepository, fill: Fill, stream: Stream, postgres: Postgres, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Not the limit of a question ends such a statement; what it ends is counted by the next attempt."""
    monkeypatch.setattr(hours_repository, "SLICE_TWEETS", 2)
    _week(stream)
    await fill(stream.changes)
    before = await _baseline(hours)
    async with postgres.transaction() as other:
        await other.execute("LOCK TABLE term_days IN SHARE MODE")
        with monkeypatch.context() as patched, pytest.raises(DatabaseUnavailable):
            patched.setattr(hours_repository, "COUNT_SECONDS", 0.1)
            await hours.roll_up(quiet_seconds=0)
        assert await _baseline(hours) == before
    counted = await hours.roll_up(limit=1000, quiet_seconds=0)
    assert counted == await postgres.fetchval("SELECT count(*) FROM stream_hours")
    assert await _baseline(hours) == before


async def test_pages_that_come_while_hours_are_counted_are_not_lost(
    hours: HoursRepository, fill: Fill, stream: Stream
) -> None:
    """Stored and counted at the same time, again and again, every tweet is in its hour at the end."""
    _week(stream)
    pages = [stream.changes[start : start + 5] for start in range(0, 60, 5)]

    async def store() -> None:
        for page in pages:
            await fill(page)

    async def count() -> None:
        for _ in range(40):
            await hours.roll_up(limit=2, quiet_seconds=0)

    await asyncio.gather(store(), count(), count())
    await hours.roll_up(limit=1000, quiet_seconds=0)
    found = await _baseline(hours)
    assert (sum(found[0]), sum(found[1]["paro"].values()), sum(found[1]["agua"].values())) == (60, 30, 30)


async def test_an_hour_that_just_changed_waits(hours: HoursRepository, fill: Fill, stream: Stream) -> None:
    """The hour that tweets keep coming for is not counted again after each page."""
    _week(stream)
    await fill(stream.changes)
    assert await hours.roll_up(quiet_seconds=60) == 0


async def test_a_timeline_is_the_same_before_while_and_after_hours_are_counted(
    hours: HoursRepository, signals: SignalRepository, fill: Fill, stream: Stream
) -> None:
    """Also of what only a copy holds: another mention in the same text."""
    _week(stream)
    for minute, name in enumerate(("ana", "luis")):
        stream.tweet(NOON - timedelta(hours=40, minutes=minute), f"eco{name}", f"@{name} todos al paro el lunes")
    await fill(stream.changes)

    async def line(term: str) -> list[tuple[datetime, int, int]]:
        found = await signals.timeline(
            [term], step="hour", zone="UTC", since=NOON - timedelta(days=8), before=NOON, as_of=NOON
        )
        return [(bucket.at, bucket.tweets, bucket.authors) for bucket in found.values() if bucket.tweets]

    before = await line("paro")
    assert (sum(tweets for _, tweets, _ in before), len(await line("@luis"))) == (32, 1)
    while await hours.roll_up(limit=1, quiet_seconds=0):
        assert await line("paro") == before
    assert [tweets for _, tweets, _ in await line("@luis")] == [1]


async def test_an_hour_that_is_hardly_over_waits(
    hours: HoursRepository, fill: Fill, stream: Stream, postgres: Postgres
) -> None:
    """What is collected comes late: of tweets of now and of three hours ago only the older hour is counted."""
    await past_full_hour()
    now = datetime.now(UTC)
    for age in (0, 1, 3):
        stream.tweet(now - timedelta(hours=age), "ana", f"paro hace {age} horas")
    await fill(stream.changes)
    assert await hours.roll_up(quiet_seconds=0) == 1
    counted = await postgres.fetchval("SELECT hour FROM stream_hours")
    assert counted == (now - timedelta(hours=3)).replace(minute=0, second=0, microsecond=0)


async def test_an_hour_that_was_counted_before_waits_longer(
    hours: HoursRepository, fill: Fill, stream: Stream, postgres: Postgres
) -> None:
    """Its whole day is counted anew: half a minute after a late tweet only a new hour is counted, later both."""
    await fill([stream.tweet(NOON, "ana", "paro")])
    assert await hours.roll_up(quiet_seconds=0) == 1
    await fill([stream.tweet(NOON, "luis", "otro paro"), stream.tweet(NOON - timedelta(hours=2), "eva", "paro")])
    await postgres.execute("UPDATE stale_hours SET touched_at = now() - interval '30 s'")
    assert [await hours.roll_up() for _ in range(2)] == [1, 0]
    await postgres.execute("UPDATE stale_hours SET touched_at = now() - interval '11 min'")
    assert [await hours.roll_up() for _ in range(2)] == [1, 0]
    assert await postgres.fetch("SELECT tweets FROM stream_hours ORDER BY hour") == [(1,), (2,)]


async def test_copies_count_once_an_hour(hours: HoursRepository, fill: Fill, stream: Stream) -> None:
    """A text that many accounts repeat within an hour is one tweet of that hour."""
    for number in range(9):
        stream.tweet(NOON - timedelta(hours=5, minutes=number + 1), f"a{number}", "todos al paro el lunes")
    await fill(stream.changes)
    counted = await _baseline(hours)
    await hours.roll_up(quiet_seconds=0)
    assert await _baseline(hours) == counted
    assert (sum(counted[0]), sum(counted[1]["paro"].values())) == (1, 1)


async def test_frequent_terms_are_written_side_by_side(
    hours: HoursRepository, fill: Fill, stream: Stream, postgres: Postgres
) -> None:
    """They come first of their day, so that a question about thousands of them reads few pages.

    The table starts without pages: rows go wherever a page has room once the rows of other tests were vacuumed away.
    """
    await postgres.execute("TRUNCATE term_days")
    for number in range(40):
        words = " ".join(f"palabra{number}x{place}" for place in range(5))
        stream.tweet(NOON - timedelta(minutes=number), f"a{number}", f"{words} paro")
    await fill(stream.changes)
    await hours.roll_up(quiet_seconds=0)
    assert await postgres.fetchval("SELECT term FROM term_days ORDER BY ctid LIMIT 1") == "paro"
