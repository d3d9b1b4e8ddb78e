"""Erases tweets that are older than the retention, and authors of whom no tweet is left."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import structlog

from castor_chassis import every
from twitter_service.maintenance.cleaning_repository import CleaningRepository
from twitter_service.maintenance.retention_repository import RetentionRepository
from twitter_service.metrics import RETIRED

BATCH_TWEETS = 1_000
"""Per transaction: other writers wait as long as for a piece of an import."""
BATCH_RETWEETS = BATCH_AUTHORS = BATCH_ERASED_IDS = 5_000
BATCH_JOBS = 1_000

log = structlog.get_logger("castor.twitter.retention")


class Retention:
    """The background work of one replica, to be run under a lease."""

    def __init__(
        self,
        repository: RetentionRepository,
        cleaning: CleaningRepository,
        *,
        retention_days: int,
        tombstone_days: int,
        job_days: int,
        sweep_seconds: float,
    ) -> None:
        self._repository = repository
        self._cleaning = cleaning
        self._retention = timedelta(days=retention_days)
        self._tombstones = timedelta(days=tombstone_days)
        self._jobs = timedelta(days=job_days)
        self._sweep_seconds = sweep_seconds

    async def run(self) -> None:
        """Sweep until cancelled; raises ``DatabaseUnavailable``."""
        await every(self._sweep_seconds, self.sweep)()

    async def sweep(self) -> None:
        """Erase tweets older than the retention, if there is one, authors of whom none is left, and old jobs.

        Once after an upgrade, what only former releases store goes as well.
        """
        if self._retention:
            await self._erase_old()
        while await self._cleaning.clean_next(BATCH_TWEETS):
            pass
        await self._repository.delete_authors(BATCH_AUTHORS)
        while await self._repository.delete_jobs_before(datetime.now(UTC) - self._jobs, BATCH_JOBS):
            pass

    async def _erase_old(self) -> None:
        """Erase through the feed, which tells every consumer. Tombstones stay for a while longer."""
        horizon = datetime.now(UTC) - self._retention
        retired = 0
        while erased := await self._repository.erase_before(horizon, BATCH_TWEETS):
            retired += erased
            RETIRED.inc(erased)
        while await self._repository.delete_retweets_before(horizon, BATCH_RETWEETS):
            pass
        erased_before = datetime.now(UTC) - self._tombstones
        while await self._repository.delete_erased_ids_before(horizon, erased_before, BATCH_ERASED_IDS):
            pass
        dropped = await self._repository.drop_before(horizon, erased_before)
        if retired or dropped:
            log.info("tweets_retired", tweets=retired, partitions=dropped, before=horizon.isoformat())
