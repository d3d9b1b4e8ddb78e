"""Deletes trends, and events of trends and watches, that are too old."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import structlog

from castor_chassis import every
from trending_service.tracking.repository import TrendRepository
from trending_service.watches.repository import WatchRepository

BATCH_ROWS = 5_000
"""Per transaction."""
SWEEP_SECONDS = 3600.0

log = structlog.get_logger("castor.trending.retention")


@dataclass(frozen=True, slots=True)
class EventRetention:
    """Runs on every replica: each deletes what no other does. ``ready`` raises until the tables are there."""

    trends: TrendRepository
    watches: WatchRepository
    ready: Callable[[], Awaitable[None]]
    days: int
    batch: int = BATCH_ROWS

    async def run(self) -> None:
        """Sweep until cancelled; raises what the database raises, and is then started again."""
        await self.ready()
        await every(SWEEP_SECONDS, self._sweep_now)()

    async def _sweep_now(self) -> None:
        deleted = await self.sweep(datetime.now(UTC))
        if deleted:
            log.info("events_forgotten", rows=deleted, retention_days=self.days)

    async def sweep(self, now: datetime) -> int:
        """Delete the trends and events from before the retention and return how many."""
        before, total = now - timedelta(days=self.days), 0
        for forget in (self.watches.forget, self.trends.forget, self.trends.forget_trends):
            while deleted := await forget(before, self.batch):
                total += deleted
        return total
