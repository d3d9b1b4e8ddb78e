"""What was used, by whom it was made, and what it cost."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from castor_chassis import normal_time
from openai_service.schemas import UsageOfDay
from openai_service.store import LedgerStore

_DEFAULT_DAYS = 30


@dataclass(frozen=True, slots=True)
class UsageReport:
    """Sums per day, and their total cost."""

    since: str
    until: str
    days: list[UsageOfDay]
    cost_usd: float


class UsageReports:
    """Reads the ledger."""

    def __init__(self, store: LedgerStore) -> None:
        self._store = store

    async def usage(self, since: datetime | None, until: datetime | None) -> UsageReport:
        """Return the use in [since, until), by default the last 30 days; nothing when 'since' is not before 'until'."""
        end = until or datetime.now(UTC)
        begin = since or _days_before(end, _DEFAULT_DAYS)
        days = [UsageOfDay(**row) for row in await self._store.usage(begin, end)]
        cost = round(sum(day.cost_usd for day in days), 9)
        return UsageReport(normal_time(begin), normal_time(end), days, cost)


def _days_before(moment: datetime, days: int) -> datetime:
    # The first days of year 1 have no 30 days before them.
    earliest = datetime.min.replace(tzinfo=UTC)
    return moment - timedelta(days=days) if moment - earliest > timedelta(days=days) else earliest
