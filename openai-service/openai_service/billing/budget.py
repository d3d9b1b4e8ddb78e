"""What may be spent: the most that a call can cost is held before it is made, so that a limit is never passed."""

from __future__ import annotations

import asyncio
import uuid
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime
from decimal import ROUND_CEILING, Decimal
from typing import Any

from castor_chassis import Batcher
from openai_service.billing.budget_repository import BudgetStore, Decision, Hold, Refusal
from openai_service.billing.preallocation import Advances, Part, accounts_key
from openai_service.errors import BudgetHeld, BudgetSpent
from openai_service.metrics import BUDGET_EXPIRED, BUDGET_REFUSED

NANO = 1_000_000_000
TOTAL = "total"


def nano(usd: Decimal | float) -> int:
    """Return ``usd`` in billionths, rounded up: a limit is compared with what is at least the cost."""
    return int((Decimal(str(usd)) * NANO).to_integral_value(ROUND_CEILING))


def usd(nanos: int) -> float:
    """Return billionths as USD."""
    return nanos / NANO


def month_of(moment: datetime) -> date:
    """Return the first day of the month (UTC) that ``moment`` is in."""
    return moment.astimezone(UTC).date().replace(day=1)


def next_month(month: date) -> date:
    """Return the first day of the month after ``month``."""
    return date(month.year + month.month // 12, month.month % 12 + 1, 1)


@dataclass(frozen=True, slots=True)
class Payer:
    """On whose accounts a call goes."""

    tenant: str
    """The principal, for example ``user:42``; the user on whose behalf a service calls."""
    service: str
    """The service that called, ``ingress`` for the outside."""

    def accounts(self) -> tuple[str, str, str]:
        """Return the names of the accounts that a call is booked on."""
        return (TOTAL, f"tenant:{self.tenant}", f"service:{self.service}")


class Limits:
    """Monthly limits in USD by ``total``, ``tenant:<name>``, ``service:<name>``; ``*`` is any name without its own."""

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
    """Holds money. Concurrent calls share a statement, and each statement decides in one transaction.

    Where the accounts have plenty it holds for ``ahead_calls`` more calls, which then need no statement of their own
    for ``ahead_seconds``.
    """

    def __init__(
        self,
        store: BudgetStore,
        limits: Limits,
        *,
        lease_seconds: float,
        ahead_calls: int = 0,
        ahead_seconds: float = 0,
    ) -> None:
        self._store = store
        self._lease = lease_seconds
        self._batcher: Batcher[Hold, Decision] = Batcher(store.hold)
        self._advances = Advances(calls=ahead_calls, seconds=ahead_seconds, give_back=lambda part: self.give_back(part))
        self.limits = limits
        self.give_back: Callable[[Part], None] = lambda _part: None
        """Gets what was held ahead and is not used; the ledger writes it."""

    async def hold(
        self, payer: Payer, amount_nano: int, called_at: datetime, on_abandon: Callable[[uuid.UUID], None]
    ) -> Part | None:
        """Hold ``amount_nano`` and return the part of a hold that is; None when no limit applies to the payer.

        ``on_abandon`` gets the id when the caller is cancelled and the money is held all the same. Raises
        ``BudgetSpent``, ``BudgetHeld``, or ``DatabaseUnavailable``: what cannot be checked is not spent.
        """
        limits = self.limits.of(payer)
        if not limits:
            return None
        month = month_of(called_at)
        key = accounts_key(month, list(limits))
        part = self._advances.take(key, amount_nano)
        if part is not None:
            return part
        wanted = self._advances.wanted(key, amount_nano)
        asked_at = asyncio.get_running_loop().time()
        hold = Hold(uuid.uuid4(), month, amount_nano, self._lease, limits, wanted)
        decision = await self._decide(hold, on_abandon)
        if decision.refusal is not None:
            # What other payers' calls to come hold here may be what this one lacks; it is free when the caller is back.
            self.end_advances()
        if decision.refusal is not None and await self._release_expired():
            decision = await self._decide(hold, on_abandon)
        if decision.refusal is not None:
            raise _refused(hold, decision.refusal)
        if decision.ahead_nano:
            self._advances.add(key, hold.id, decision.ahead_nano, asked_at)
        return Part(hold.id, amount_nano)

    def end_advances(self) -> bool:
        """Give back all that is held ahead; returns whether anything was."""
        return self._advances.end()

    async def _decide(self, hold: Hold, on_abandon: Callable[[uuid.UUID], None]) -> Decision:
        decision = self._batcher.submit(hold)
        try:
            return await asyncio.shield(decision)
        except asyncio.CancelledError:
            decision.add_done_callback(lambda done: _abandon(done, hold.id, on_abandon))
            raise

    async def sweep(self, every_seconds: float) -> None:
        """End expired holds for ever; every replica does so, none waits for another."""
        while True:
            await asyncio.sleep(every_seconds)
            await self._release_expired()

    async def _release_expired(self) -> bool:
        released = await self._store.release_expired()
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
        return BudgetSpent(**details, resets_at=f"{next_month(hold.month).isoformat()}T00:00:00Z")
    return BudgetHeld(**details, held_usd=usd(refusal.held_nano), retry_after_seconds=1)
