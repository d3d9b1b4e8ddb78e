"""Looks at all watches, again and again, and stores what happened."""

from __future__ import annotations

from collections.abc import Awaitable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import TypeVar, assert_never
from zoneinfo import ZoneInfo

import structlog

from castor_chassis import DatabaseUnavailable, ServiceError, every
from castor_chassis.wire.errors import DatabaseSlow
from trending_service.coordination.report import GroupReport
from trending_service.coordination.service import CoordinationService
from trending_service.metrics import EVENTS, NOT_LOOKED
from trending_service.signals.model import Tally
from trending_service.signals.repository import SignalRepository
from trending_service.tracking.model import StoredEvent, TrendEvent
from trending_service.tracking.service import Tracker
from trending_service.watches.conditions import doubled, fell, started, suspected
from trending_service.watches.model import KINDS, Happening, Watch
from trending_service.watches.repository import WatchRepository
from trending_service.watches.schedule import due_at

SCOPES_A_ROUND = 60
"""So many places and entities are looked at in one round; of more those that were not looked at for longest."""
T = TypeVar("T")
log = structlog.get_logger("castor.trending.watches")


@dataclass(frozen=True, slots=True)
class Evaluator:
    """Follows trends and watches; run it under a lease."""

    tracker: Tracker
    watches: WatchRepository
    signals: SignalRepository
    coordination: CoordinationService
    zone: ZoneInfo
    every_seconds: float
    looked: dict[str, datetime] = field(default_factory=dict)
    """When each scope was last looked at, by this replica."""

    async def run(self) -> None:
        """Look until cancelled; raises what the database raises, and is then started again."""
        await every(self.every_seconds, lambda: self.look(datetime.now(UTC)))()

    async def look(self, now: datetime) -> int:
        """Look once: follow the trends of the scopes whose turn it is, then their watches; return the new events.

        A scope that cannot be looked at is left out, with a line in the log, and holds up no other.
        """
        watches = _known(await self.watches.all())
        turn = self._turn(watches, now)
        await self._follow(watches, turn, now)
        # Read back: those that a replica stored before it was killed are among them.
        seen = _Seen(await self.tracker.trends.untold())
        new = 0
        for watch in watches:
            if watch.kind == "trend_starts" or watch.scope in turn:
                new += await self._look_at(watch, now, seen)
        await self.tracker.trends.told([event.seq for event in seen.events])
        return new

    def _turn(self, watches: Sequence[Watch], now: datetime) -> set[str]:
        """Return the scopes that are looked at now: the whole stream, and those that have waited for longest."""
        watched = {watch.scope for watch in watches} - {""}
        for scope in self.looked.keys() - watched:
            del self.looked[scope]
        waiting = sorted(watched, key=lambda scope: (scope in self.looked, self.looked.get(scope), scope))
        turn = waiting[:SCOPES_A_ROUND]
        self.looked.update(dict.fromkeys(turn, now))
        return {"", *turn}

    async def _follow(self, watches: Sequence[Watch], turn: set[str], now: datetime) -> None:
        watched = {""} | {watch.scope for watch in watches if watch.kind == "trend_starts"}
        for scope in sorted(watched & turn):
            _count(await _unless_it_fails(scope, self.tracker.follow(scope, now)) or ())
        for scope in sorted(await self.tracker.trends.scopes() - watched):
            _count(await _unless_it_fails(scope, self.tracker.end(scope, now)) or ())

    async def _look_at(self, watch: Watch, now: datetime, seen: _Seen) -> int:
        if (watch.kind, watch.scope) in seen.failed:
            return 0
        found = await _unless_it_fails(watch.scope, self._happened(watch, now, seen))
        if found is None:
            seen.failed.add((watch.kind, watch.scope))
        return sum([await self._tell(watch, happening, now) for happening in found or ()])

    async def _happened(self, watch: Watch, now: datetime, seen: _Seen) -> Sequence[Happening]:
        scopes = tuple(filter(None, watch.scope.split("|")))
        match watch.kind:
            case "trend_starts":
                return started(watch, seen.events)
            case "coordination_suspected":
                if watch.scope not in seen.groups:
                    seen.groups[watch.scope] = (await self.coordination.reports(now, timedelta(days=1), scopes)).groups
                return suspected(watch, seen.groups[watch.scope], self.zone)
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

    async def _volumes(self, now: datetime, scopes: Sequence[str]) -> tuple[Tally, float | None]:
        hour = await self.signals.tally(now - timedelta(hours=1), now, scopes)
        return hour, await self._usual(now, scopes)

    async def _feelings(self, now: datetime, scopes: Sequence[str]) -> tuple[Tally, Tally]:
        turn = now - timedelta(hours=3)
        recent = await self.signals.tally(turn, now, scopes)
        return recent, await self.signals.tally(turn - timedelta(hours=24), turn, scopes)

    async def _usual(self, now: datetime, scopes: Sequence[str]) -> float | None:
        # The same hour of the last four weeks: what is usual at night is not what is usual at noon. A week of which
        # nothing at all is stored says nothing of what is usual.
        weeks = [now - timedelta(weeks=number) for number in (1, 2, 3, 4)]
        known = [week for week in weeks if await self.signals.has_tweets(week - timedelta(days=1), week)]
        found = [await self.signals.tally(week - timedelta(hours=1), week, scopes) for week in known]
        return sum(one.tweets for one in found) / len(found) if found else None

    async def _tell(self, watch: Watch, happening: Happening, now: datetime) -> int:
        due = due_at(
            now, self.zone, quiet_from=watch.quiet_from, quiet_until=watch.quiet_until,
            digest_minutes=watch.digest_minutes,
        )  # fmt: skip
        if await self.watches.tell(watch, happening, due) is None:
            return 0
        EVENTS.labels(happening.kind).inc()
        return 1


async def _unless_it_fails(scope: str, look: Awaitable[T]) -> T | None:
    """Return what ``look`` returns, None where the scope asks too much; raises when the database is away."""
    try:
        return await look
    except ServiceError as error:
        if isinstance(error, DatabaseUnavailable) and not isinstance(error, DatabaseSlow):
            raise
        log.warning("scope_not_looked_at", scope=scope, error=error.code, reason=str(error))
        NOT_LOOKED.inc()
        return None


def _count(events: Sequence[TrendEvent]) -> None:
    for event in events:
        EVENTS.labels(f"trend.{event.kind}").inc()


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
    failed: set[tuple[str, str]] = field(default_factory=set)
    groups: dict[str, list[GroupReport]] = field(default_factory=dict)
    feelings: dict[str, tuple[Tally, Tally]] = field(default_factory=dict)
    volumes: dict[str, tuple[Tally, float | None]] = field(default_factory=dict)
