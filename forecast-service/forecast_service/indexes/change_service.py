"""Change points of an entity's index, found in a process of their own, and what was trending then."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

from forecast_service.clients.trending import TrendingClient, TrendingTopic
from forecast_service.errors import TooFewDays
from forecast_service.indexes.calendar import end_of
from forecast_service.indexes.changes import MINIMUM_DAYS, Change, changes_of
from forecast_service.indexes.model import EntityIndex
from forecast_service.processes import Processes

MOST_EXPLAINED = 5
"""Changes of one answer, the newest, for which trending-service is asked."""


@dataclass(frozen=True, slots=True)
class Trending:
    """Topics by day of a change; ``is_complete`` says whether those of all days that were asked for are known."""

    topics: dict[date, list[TrendingTopic]]
    is_complete: bool = True


@dataclass(frozen=True, slots=True)
class ChangeService:
    """Finds change points in ``processes``: hundreds of days take a tenth of a second."""

    processes: Processes
    trending_service: TrendingClient
    trends_timeout_seconds: float

    async def find(self, index: EntityIndex) -> list[Change]:
        """Return the changes, oldest first; raises ``TooFewDays`` or ``Unavailable``."""
        if index.days_observed < MINIMUM_DAYS:
            raise TooFewDays(entity=index.entity, observed=index.days_observed, needed=MINIMUM_DAYS)
        return await self.processes.run(changes_of, index.days)

    async def trending(self, index: EntityIndex, changes: Sequence[Change]) -> Trending:
        """Return what was trending among the entity's tweets on the days of the newest changes.

        Takes ``trends_timeout_seconds`` at most; what is not known by then is left out.
        """
        asked = [change.day for change in changes[-MOST_EXPLAINED:]]
        found: dict[date, list[TrendingTopic]] = {}

        async def ask(day: date) -> None:
            topics = await self.trending_service.topics(index.entity, end_of(day), index.dataset)
            if topics is not None:
                found[day] = topics

        try:
            async with asyncio.timeout(self.trends_timeout_seconds), asyncio.TaskGroup() as group:
                for day in asked:
                    group.create_task(ask(day))
        except TimeoutError:
            pass  # What came in time stands in the answer.
        return Trending(found, len(found) == len(asked))
