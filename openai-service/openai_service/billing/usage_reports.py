"""Reports of what was used and what it cost, and of how far budgets are used."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta

from openai_service.billing.budget import Limits
from openai_service.billing.budget_repository import BudgetRepository
from openai_service.billing.money import month_of
from openai_service.billing.payer import Payer
from openai_service.billing.repository import DailyUsage, LedgerRepository

_DEFAULT_DAYS = 30


@dataclass(frozen=True, slots=True)
class UsageReport:
    """The usage in [since, until), per day, and its total cost."""

    since: datetime
    until: datetime
    days: Sequence[DailyUsage]
    cost_usd: float


@dataclass(frozen=True, slots=True)
class AccountStatus:
    """One account's monthly limit and how far it is used, in nano-USD."""

    account: str
    limit_nano: int
    spent_nano: int
    held_nano: int

    @property
    def left_nano(self) -> int:
        """The most that the next call may cost."""
        return max(0, self.limit_nano - self.spent_nano - self.held_nano)


class UsageReports:
    """Reads the ledger and the budgets' accounts."""

    def __init__(self, ledger: LedgerRepository, budgets: BudgetRepository, limits: Limits) -> None:
        self._ledger = ledger
        self._budgets = budgets
        self._limits = limits

    async def usage(self, since: datetime | None, until: datetime | None, org: str | None) -> UsageReport:
        """Return the usage of an organisation, or of all, in [since, until), by default of the last 30 days.

        It is empty unless since < until.
        """
        end = until or datetime.now(UTC)
        begin = since or _days_before(end, _DEFAULT_DAYS)
        days = await self._ledger.usage(begin, end, org)
        return UsageReport(begin, end, days, round(sum(day.cost_usd for day in days), 9))

    async def budgets(self, payer: Payer) -> tuple[date, list[AccountStatus]]:
        """Return the current month (UTC) and the status of each account of ``payer`` that has a limit."""
        month = month_of(datetime.now(UTC))
        limits = self._limits.of(payer)
        used = await self._budgets.accounts(month, list(limits)) if limits else {}
        return month, [AccountStatus(name, limit, *used.get(name, (0, 0))) for name, limit in limits.items()]


def _days_before(moment: datetime, days: int) -> datetime:
    # The first days of year 1 have no 30 days before them.
    earliest = datetime.min.replace(tzinfo=UTC)
    return moment - timedelta(days=days) if moment - earliest > timedelta(days=days) else earliest
