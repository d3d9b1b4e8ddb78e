"""Looks at all watches, again and again, and stores what happened."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import assert_never
from zoneinfo import ZoneInfo

import structlog

from castor_chassis import every
from trending_service.coordination.report import GroupReport
from trending_service.coordination.service import CoordinationService
from trending_service.metrics import EVENTS
from trending_service.signals.model import Tally
from trending_service.signals.repository import SignalRepository
from trending_service.tracking.model import StoredEvent
from trending_service.tracking.service import Tracker
from trending_service.watches.conditions import doubled, fell, started, suspected
from trending_service.watches.model import KINDS, Happening, Watch
from trending_service.watches.repository import WatchRepository
from trending_service.watches.schedule import due_at

log = structlog.get_logger("trending.watches")


@dataclass(frozen=True, slots=True)
class Evaluator:
    """Follows trends and watches; run it under a lease."""

    tracker: Tracker
    watches: WatchRepository
    signals: SignalRepository
    coordination: CoordinationService
    zone: ZoneInfo
    every_seconds: float

    async def run(self) -> None:
        """Look until cancelled; raises what the database raises, and is then started again."""
        await every(self.every_seconds, lambda: self.look(datetime.now(UTC)))()

    async def look(self, now: datetime) -> int:
        """Look once: follow the trends of each scope that is watched, then each watch; return the new events."""
        watches = _known(await self.watches.all())
        await self._follow(watches, now)
        # Read back: those that a replica stored before it was killed are among them.
        seen = _Seen(await self.tracker.trends.untold())
        new = 0
        for watch in watches:
            for happening in await self._happened(watch, now, seen):
                new += await self._tell(watch, happening, now)
        await self.tracker.trends.told([event.seq for event in seen.events])
        return new

    async def _follow(self, watches: Sequence[Watch], now: datetime) -> None:
        for scope in sorted({""} | {watch.scope for watch in watches if watch.kind == "trend_starts"}):
            for event in await self.tracker.follow(scope, now):
                EVENTS.labels(f"trend.{event.kind}").inc()

    async def _happened(self, watch: Watch, now: datetime, seen: _Seen) -> Sequence[Happening]:
        scopes = tuple(filter(None, watch.scope.split("|")))
        match watch.kind:
            case "trend_starts":
                return started(watch, seen.events)
            case "coordination_suspected":
                if watch.scope not in seen.groups:
                    seen.groups[watch.scope] = await self.coordination.reports(now, timedelta(days=1), scopes)
                return suspected(watch, seen.groups[watch.scope])
            case "sentiment_falls":
                if watch.scope not in seen.feelings:
                    seen.feelings[watch.scope] = await self._feelings(now, scopes)
                return fell(watch, now, *seen.feelings[watch.scope])
            case "volume_doubles":
                if watch.scope not in seen.volumes:
                    seen.volumes[watch.scope] = await self._volumes(now, scopes)
                return doubled(watch, now, *seen.volumes[watch.scope])
            case _:
                assert_never(watch.kind)

    async def _volumes(self, now: datetime, scopes: Sequence[str]) -> tuple[Tally, float]:
        hour = await self.signals.tally(now - timedelta(hours=1), now, scopes)
        return hour, await self._usual(now, scopes)

    async def _feelings(self, now: datetime, scopes: Sequence[str]) -> tuple[Tally, Tally]:
        turn = now - timedelta(hours=3)
        recent = await self.signals.tally(turn, now, scopes)
        return recent, await self.signals.tally(turn - timedelta(hours=24), turn, scopes)

    async def _usual(self, now: datetime, scopes: Sequence[str]) -> float:
        # The same hour of the last four weeks: what is usual at night is not what is usual at noon.
        weeks = [now - timedelta(weeks=number) for number in (1, 2, 3, 4)]
        found = [await self.signals.tally(week - timedelta(hours=1), week, scopes) for week in weeks]
        return sum(one.tweets for one in found) / len(found)

    async def _tell(self, watch: Watch, happening: Happening, now: datetime) -> int:
        due = due_at(
            now, self.zone, quiet_from=watch.quiet_from, quiet_until=watch.quiet_until,
            digest_minutes=watch.digest_minutes,
        )  # fmt: skip
        if await self.watches.tell(watch, happening, due) is None:
            return 0
        EVENTS.labels(happening.kind).inc()
        return 1


def _known(watches: Sequence[Watch]) -> list[Watch]:
    # While a new version is rolled out or back, this one may find watches of a kind that only the other evaluates.
    unknown = sorted({watch.kind for watch in watches if watch.kind not in KINDS})
    if unknown:
        log.warning("watch_kinds_unknown", kinds=unknown)
    return [watch for watch in watches if watch.kind in KINDS]


@dataclass(slots=True)
class _Seen:
    """What several watches ask for, looked up once for each scope."""

    events: Sequence[StoredEvent]
    groups: dict[str, list[GroupReport]] = field(default_factory=dict)
    feelings: dict[str, tuple[Tally, Tally]] = field(default_factory=dict)
    volumes: dict[str, tuple[Tally, float]] = field(default_factory=dict)
