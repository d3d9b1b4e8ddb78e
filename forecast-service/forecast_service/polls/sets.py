"""Polls that an organisation keeps, to ask for their average again."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from forecast_service.errors import PollSetNotFound, TooManyPollSets
from forecast_service.polls.checks import usable
from forecast_service.polls.model import Poll, PollSet, PollSetSummary
from forecast_service.polls.repository import PollSetRepository

MOST_SETS = 200


@dataclass(frozen=True, slots=True)
class PollSetService:
    """Keeps sets of polls; nobody but its organisation reads or deletes one."""

    sets: PollSetRepository

    async def keep(self, org: str, name: str, polls: Sequence[Poll]) -> PollSet:
        """Store polls under a name; the same polls under the same name are the same set, whatever their order.

        Raises ``UnusablePolls``, ``TooManyPollSets`` or ``DatabaseUnavailable``.
        """
        known = tuple(usable(polls))
        set_id = hashlib.sha256(f"{name}|{known}".encode()).hexdigest()[:32]
        kept = await self.sets.add(org, PollSet(set_id, name, known, datetime.now(UTC)), most=MOST_SETS)
        if kept is None:
            raise TooManyPollSets(most=MOST_SETS)
        return kept

    async def get(self, org: str, set_id: str) -> PollSet:
        """Return a set of the organisation; raises ``PollSetNotFound``."""
        return _found(await self.sets.get(org, set_id), set_id)

    async def find(self, org: str, after: str, limit: int) -> list[PollSetSummary]:
        """Return what is listed of the organisation's sets with an id after ``after``, by id."""
        return await self.sets.find(org, after, limit)

    async def delete(self, org: str, set_id: str) -> PollSet:
        """Delete a set of the organisation; raises ``PollSetNotFound``."""
        return _found(await self.sets.delete(org, set_id), set_id)


def _found(found: PollSet | None, set_id: str) -> PollSet:
    if found is None:
        raise PollSetNotFound(set_id=set_id)
    return found
