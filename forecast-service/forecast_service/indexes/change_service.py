"""Change points of an entity's index, found in a process of their own."""

from __future__ import annotations

from dataclasses import dataclass

from forecast_service.errors import TooFewDays
from forecast_service.indexes.changes import MINIMUM_DAYS, Change, changes_of
from forecast_service.indexes.model import EntityIndex
from forecast_service.processes import Processes


@dataclass(frozen=True, slots=True)
class ChangeService:
    """Finds change points in ``processes``: hundreds of days take a tenth of a second."""

    processes: Processes

    async def find(self, index: EntityIndex) -> list[Change]:
        """Return the changes, oldest first; raises ``TooFewDays`` or ``Unavailable``."""
        if index.days_observed < MINIMUM_DAYS:
            raise TooFewDays(entity=index.entity, observed=index.days_observed, needed=MINIMUM_DAYS)
        return await self.processes.run(changes_of, index.days)
