"""Budgets: the most that a call can cost is held before it is made, so that a monthly limit is never exceeded."""

from __future__ import annotations

import asyncio
import uuid
from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any

from castor_chassis import Batcher
from openai_service.billing.budget_repository import BudgetRepository, Decision, Hold, Refusal
from openai_service.billing.money import month_of, nano, next_month, usd
from openai_service.billing.payer import Payer
from openai_service.billing.preallocation import Allocation, Preallocations, accounts_key
from openai_service.errors import BudgetHeld, BudgetSpent
from openai_service.metrics import BUDGET_EXPIRED, BUDGET_REFUSED


class Limits:
    """Monthly limits in USD by account: ``total``, ``org:<id>``, ``tenant:<name>``, ``service:<name>``.

    ``org:*``, ``tenant:*`` and ``service:*`` hold for every name without a limit of its own.
    """

    def __init__(self, table: Mapping[str, float]) -> None:
        self._nano = {account: nano(limit) for account, limit in table.items()}

    def __bool__(self) -> bool:
        return bool(self._nano)

    def of(self, payer: Payer) -> dict[str, int]:
        """Return the limit in nano-USD of each of the payer's accounts that has one."""
        found: dict[str, int] = {}
        for account in payer.accounts():
            limit = self._nano.get(account, self._nano.get(account.partition(":")[0] + ":*"))
            if limit is not None:
                found[account] = limit
        return found


class Budget:
    """Holds money for calls. Concurrent calls share a statement, which decides about all of them in one transaction.

    Where the accounts have plenty, a statement also preallocates for ``ahead_calls`` more calls, which then need no
    statement of their own for ``ahead_seconds``.
    """

    def __init__(
        self,
        repository: BudgetRepository,
        limits: Limits,
        *,
        lease_seconds: float,
        ahead_calls: int = 0,
        ahead_seconds: float = 0,
    ) -> None:
        self._repository = repository
        self._lease = lease_seconds
        self._batcher: Batcher[Hold, Decision] = Batcher(repository.hold)
        self._preallocations = Preallocations(
            calls=ahead_calls, seconds=ahead_seconds, on_unused=lambda unused: self.on_unused(unused)
        )
        self.limits = limits
        self.on_unused: Callable[[Allocation], None] = lambda _unused: None
        """Gets each preallocation's unused rest; the ledger sets it and gives the money back."""

    async def hold(
        self, payer: Payer, amount_nano: int, called_at: datetime, on_abandon: Callable[[uuid.UUID], None]
    ) -> Allocation | None:
        """Hold ``amount_nano`` and return the allocation; None when no limit applies to the payer.

        ``on_abandon`` gets the id of the hold when the caller is cancelled and the money is held nevertheless. Raises
        ``BudgetSpent`` or ``BudgetHeld`` when there is no room, and ``DatabaseUnavailable``: what cannot be checked is
        not spent.
        """
        limits = self.limits.of(payer)
        if not limits:
            return None
        month = month_of(called_at)
        key = accounts_key(month, list(limits))
        allocation = self._preallocations.take(key, amount_nano)
        if allocation is not None:
            return allocation
        wanted = self._preallocations.wanted(key, amount_nano)
        requested_at = asyncio.get_running_loop().time()
        hold = Hold(uuid.uuid4(), month, amount_nano, self._lease, limits, wanted)
        decision = await self._accepted(hold, on_abandon)
        if decision.ahead_nano:
            self._preallocations.add(key, hold.id, decision.ahead_nano, requested_at)
        return Allocation(hold.id, amount_nano)

    def end_preallocations(self) -> bool:
        """Give back everything that is preallocated; returns whether there was anything."""
        return self._preallocations.end()

    async def _accepted(self, hold: Hold, on_abandon: Callable[[uuid.UUID], None]) -> Decision:
        decision = await self._decide(hold, on_abandon)
        if decision.refusal is not None:
            # Preallocations of other payers may hold what this call lacks; it is free when the caller repeats.
            self.end_preallocations()
        if decision.refusal is not None and await self.release_expired():
            decision = await self._decide(hold, on_abandon)
        if decision.refusal is not None:
            raise _refused(hold, decision.refusal)
        return decision

    async def _decide(self, hold: Hold, on_abandon: Callable[[uuid.UUID], None]) -> Decision:
        decision = self._batcher.submit(hold)
        try:
            return await asyncio.shield(decision)
        except asyncio.CancelledError:
            decision.add_done_callback(lambda done: _abandon(done, hold.id, on_abandon))
            raise

    async def release_expired(self) -> bool:
        """Release expired holds and return whether there were any; all replicas do so independently."""
        released = await self._repository.release_expired()
        BUDGET_EXPIRED.inc(released)
        return released > 0


def _abandon(decision: asyncio.Future[Decision], hold: uuid.UUID, then: Callable[[uuid.UUID], None]) -> None:
    if not decision.cancelled() and decision.exception() is None and decision.result().refusal is None:
        then(hold)


def _refused(hold: Hold, refusal: Refusal) -> BudgetSpent | BudgetHeld:
    kind, _, _ = refusal.account.partition(":")
    spent = refusal.spent_nano + hold.amount_nano > refusal.limit_nano
    BUDGET_REFUSED.labels(kind, "spent" if spent else "held").inc()
    details: dict[str, Any] = {
        "account": refusal.account,
        "limit_usd": usd(refusal.limit_nano),
        "spent_usd": usd(refusal.spent_nano),
        "needed_usd": usd(hold.amount_nano),
    }
    if spent:
        return BudgetSpent(**details, resets_at=f"{next_month(hold.month).isoformat()}T00:00:00.000Z")
    return BudgetHeld(**details, held_usd=usd(refusal.held_nano), retry_after_seconds=1)
