"""The ledger of reading X: reserve, charge, release. A reservation lapses with its lease."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from twitter_service.billing.budget import (
    Amount,
    BudgetLimits,
    BudgetStatus,
    Payer,
    Prices,
    affordable,
    check,
    statuses,
)
from twitter_service.billing.repository import LedgerRepository


@dataclass(frozen=True)
class Charge:
    """What one answer of X cost: posts read, and of these the ones that were not billed today already."""

    read: int
    billed: Amount


class Ledger:
    """Budget of reading X. Every method raises ``DatabaseUnavailable`` while PostgreSQL is away."""

    def __init__(self, repository: LedgerRepository, limits: BudgetLimits, prices: Prices) -> None:
        self._repository = repository
        self._limits = limits
        self.prices = prices

    async def reserve(self, key: str, payer: Payer, posts: int) -> None:
        """Reserve the price of ``posts`` under ``key``; raises ``BudgetSpent`` and reserves nothing.

        A reservation under the same key is replaced, so asking again changes nothing.
        """
        amount = self.prices.of(posts)
        async with self._repository.transaction() as connection:
            await self._repository.lock(connection)
            check(amount, await self._statuses(connection, payer, besides=key))
            await self._repository.reserve(connection, key, payer, amount)

    async def reserve_some(self, key: str, payer: Payer, posts: int, least: int) -> int:
        """Reserve the price of as many of ``posts`` as every budget covers, under ``key``, and return how many.

        Raises ``BudgetSpent`` where that is fewer than ``least``; a reservation under the same key is replaced.
        """
        async with self._repository.transaction() as connection:
            await self._repository.lock(connection)
            budgets = await self._statuses(connection, payer, besides=key)
            check(self.prices.of(least), budgets)
            fitting = affordable(posts, self.prices.of(1).micro_usd, budgets)
            await self._repository.reserve(connection, key, payer, self.prices.of(fitting))
            return fitting

    async def charge(self, key: str, payer: Payer, post_ids: Sequence[int], user_ids: Sequence[int] = ()) -> Charge:
        """Record what X served, and lower the reservation ``key`` by it and renew its lease.

        It is recorded even where no reservation is left, because the money is spent.
        """
        repository, read = self._repository, len(set(post_ids))
        async with repository.transaction() as connection:
            today = await repository.today(connection)
            new_posts = await repository.bill(connection, today, "post", post_ids)
            new_users = await repository.bill(connection, today, "user", user_ids) if user_ids else 0
            billed = self.prices.of(new_posts, new_users)
            await repository.spend(connection, today, payer, read, billed)
            await repository.reduce(connection, key, self.prices.of(read))
            return Charge(read, billed)

    async def release(self, key: str) -> None:
        """Give back what is left of a reservation; nothing happens when there is none."""
        await self._repository.release(key)

    async def statuses(self, payer: Payer) -> list[BudgetStatus]:
        """Return the status of every budget that concerns ``payer``."""
        async with self._repository.transaction() as connection:
            return await self._statuses(connection, payer)

    async def purge_expired(self) -> None:
        """Delete what no longer counts."""
        await self._repository.purge_expired()

    async def _statuses(self, connection: Any, payer: Payer, besides: str = "") -> list[BudgetStatus]:
        today = await self._repository.today(connection)
        entries = await self._repository.entries(connection, today, besides)
        return statuses(entries, payer, self._limits, today)
