"""What was used, by whom it was made, and what it cost."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from castor_chassis import normal_time
from openai_service.billing.budget import Limits, Payer, month_of, next_month, usd
from openai_service.billing.budget_repository import BudgetStore
from openai_service.billing.repository import LedgerStore
from openai_service.protocol.chat import BudgetOfAccount, BudgetReport, ErasedPrompts, UsageOfDay

_DEFAULT_DAYS = 30


@dataclass(frozen=True, slots=True)
class UsageReport:
    """Sums per day, and their total cost."""

    since: str
    until: str
    days: list[UsageOfDay]
    cost_usd: float


class UsageReports:
    """Reads the ledger and the budgets' accounts, and erases what the ledger keeps of prompts."""

    def __init__(self, store: LedgerStore, accounts: BudgetStore) -> None:
        self._store = store
        self._accounts = accounts

    async def usage(self, since: datetime | None, until: datetime | None) -> UsageReport:
        """Return the use in [since, until), by default the last 30 days; nothing when 'since' is not before 'until'."""
        end = until or datetime.now(UTC)
        begin = since or _days_before(end, _DEFAULT_DAYS)
        days = [UsageOfDay(**row) for row in await self._store.usage(begin, end)]
        cost = round(sum(day.cost_usd for day in days), 9)
        return UsageReport(normal_time(begin), normal_time(end), days, cost)

    async def erase_prompts(self, payer: Payer) -> ErasedPrompts:
        """Erase the texts that the ledger keeps of the calls of ``payer``'s tenant."""
        return ErasedPrompts(tenant=payer.tenant, erased=await self._store.erase_prompts(payer.tenant))

    async def budgets(self, limits: Limits, payer: Payer) -> BudgetReport:
        """Return how far the limits that apply to ``payer`` are used this month."""
        month = month_of(datetime.now(UTC))
        applying = limits.of(payer)
        used = await self._accounts.accounts(month, list(applying)) if applying else {}
        accounts = [_account(name, limit, *used.get(name, (0, 0))) for name, limit in applying.items()]
        resets = f"{next_month(month).isoformat()}T00:00:00Z"
        return BudgetReport(
            month=month, resets_at=resets, tenant=payer.tenant, service=payer.service, accounts=accounts
        )


def _account(name: str, limit: int, spent: int, held: int) -> BudgetOfAccount:
    left = max(0, limit - spent - held)
    return BudgetOfAccount(
        account=name, limit_usd=usd(limit), spent_usd=usd(spent), held_usd=usd(held), left_usd=usd(left)
    )


def _days_before(moment: datetime, days: int) -> datetime:
    # The first days of year 1 have no 30 days before them.
    earliest = datetime.min.replace(tzinfo=UTC)
    return moment - timedelta(days=days) if moment - earliest > timedelta(days=days) else earliest
