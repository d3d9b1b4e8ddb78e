"""Old events are deleted: nothing grows without end."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from castor_chassis import Postgres
from castor_chassis.testing import until
from trending_service.tracking.model import Trend, TrendEvent
from trending_service.tracking.repository import TrendRepository
from trending_service.tracking.steps import Step
from trending_service.watches.model import EventFilter, Happening, NewWatch, Watch
from trending_service.watches.repository import WatchRepository
from trending_service.watches.retention import EventRetention

if TYPE_CHECKING:
    from conftest import Run


async def _ready() -> None:
    return None


async def _watched(watches: WatchRepository, events: int, now: datetime) -> Watch:
    new = NewWatch("x", "trend_starts", None, None, None, 0, "https://example.org", None, None, None)
    watch = await watches.add(f"w_{1:024x}", "user:ana", new, most=1)
    assert watch is not None
    for number in range(events):
        await watches.tell(watch, Happening(f"start:{number}", "trend.started", {}), now)
    return watch


async def test_old_events_are_deleted_in_batches_but_none_that_is_still_to_be_told(postgres: Postgres) -> None:
    """Those of watches, whatever became of them, and those of trends that all watches know."""
    trends, watches, now = TrendRepository(postgres), WatchRepository(postgres), datetime.now(UTC)
    watch = await _watched(watches, 3, now)
    trend = Trend(None, "", "k", "K", now, now, now, 1.0, False, None, {})
    await trends.store(Step([], [TrendEvent("start", now, trend), TrendEvent("end", now, trend)]))
    told, untold = await trends.untold()
    await trends.told([told.seq])
    retention = EventRetention(trends, watches, _ready, days=400, batch=2)
    assert await retention.sweep(now + timedelta(days=399)) == 0
    assert await retention.sweep(now + timedelta(days=401)) == 4
    assert await watches.events(watch.id, EventFilter(0)) == []
    assert await trends.events_after(0, "") == [untold]


async def test_trends_are_deleted_once_they_are_too_old_but_none_that_goes_on(postgres: Postgres) -> None:
    """By when they ended; one whose scope nobody follows any more by when it was last seen."""
    trends, now = TrendRepository(postgres), datetime.now(UTC)
    past = now - timedelta(days=500)
    ended, abandoned, long = (
        Trend(None, "", key, key, past, seen, past, 1.0, False, end, {})
        for key, seen, end in (("ended", past, past), ("abandoned", past, None), ("long", now, None))
    )
    await trends.store(Step([ended, abandoned, long, replace(ended, key="late", ended_at=now)], []))
    retention = EventRetention(trends, WatchRepository(postgres), _ready, days=400, batch=1)
    assert await retention.sweep(now) == 2
    assert [trend.key for trend in await trends.between(past, now, "", 0, 10)] == ["long", "late"]


async def test_the_service_deletes_old_events_by_itself(running: Run, postgres: Postgres) -> None:
    """Without being asked, those older than EVENT_RETENTION_DAYS only."""
    watches = WatchRepository(postgres)
    watch = await _watched(watches, 2, datetime.now(UTC))
    await postgres.execute("UPDATE watch_events SET at = at - interval '31 d' WHERE key = 'start:0'")

    async def is_one_left() -> bool:
        return [event.key for event in await watches.events(watch.id, EventFilter(0))] == ["start:1"]

    async with running(event_retention_days=30):
        await until(is_one_left)
