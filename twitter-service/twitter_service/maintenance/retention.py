"""Looks after what is stored: authors are assessed, and what is too old is erased."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import structlog

from twitter_service.maintenance.retention_repository import RetentionStore
from twitter_service.metrics import RETIRED
from twitter_service.tweets.author_repository import AuthorStore
from twitter_service.tweets.credibility import assess

AUTHORS = 200
TWEETS = 1_000
"""Per transaction: other writers wait as long as for a piece of an import."""

log = structlog.get_logger("twitter.tending")


class Tender:
    """The background work of one replica, to be run under a lease; steps aside for imports of its own process."""

    def __init__(
        self,
        authors: AuthorStore,
        retention: RetentionStore,
        *,
        retention_days: int,
        tombstone_days: int,
        poll_seconds: float,
        sweep_seconds: float,
        is_importing: Callable[[], bool],
        most_lag_seconds: float,
    ) -> None:
        self._authors = authors
        self._retention = retention
        self._days = retention_days
        self._tombstone_days = tombstone_days
        self._poll_seconds = poll_seconds
        self._sweep_seconds = sweep_seconds
        self._is_importing = is_importing
        self._most_lag = most_lag_seconds

    async def run(self) -> None:
        """Work for ever; raises ``DatabaseUnavailable`` when the store is away."""
        next_sweep = 0.0
        while True:
            if self._days and time.monotonic() >= next_sweep:
                await self.sweep()
                next_sweep = time.monotonic() + self._sweep_seconds
            await self._step_aside()
            while await self.assess_some():
                pass
            await asyncio.sleep(self._poll_seconds)

    async def _step_aside(self) -> None:
        until = time.monotonic() + self._most_lag
        while self._is_importing() and time.monotonic() < until:  # noqa: ASYNC110
            await asyncio.sleep(self._poll_seconds)

    async def assess_some(self) -> int:
        """Assess the next authors that wait for it, and return how many there were."""
        waiting = await self._authors.unassessed(AUTHORS)
        now = datetime.now(UTC)
        # Of an author known by the handle alone there is nothing to say about the profile.
        assessed = [(author.id, assess(author, activity, now)) for author, activity in waiting]
        if assessed:
            await self._authors.save(assessed)
        return len(assessed)

    async def sweep(self) -> None:
        """Erase what is older than the retention; the feed tells every consumer. Tombstones stay for a while longer."""
        horizon = datetime.now(UTC) - timedelta(days=self._days)
        retired = 0
        while erased := await self._retention.erase_before(horizon, TWEETS):
            retired += erased
            RETIRED.inc(erased)
        dropped = await self._retention.drop_before(horizon, horizon - timedelta(days=self._tombstone_days))
        if retired or dropped:
            log.info("tweets_retired", tweets=retired, partitions=dropped, before=horizon.isoformat())
