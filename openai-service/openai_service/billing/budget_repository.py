"""SQL of the budgets. Whether a hold fits is decided by functions in ``migrations/``."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any
from uuid import UUID

from asyncpg import Record

from castor_chassis import Postgres


@dataclass(frozen=True, slots=True)
class Hold:
    """The most that a call may cost; ``limits`` maps each of its accounts to its monthly limit in nano-USD."""

    id: UUID
    month: date
    amount_nano: int
    seconds: float
    limits: dict[str, int]
    ahead_nano: int = 0
    """How much to preallocate beyond that for later calls, if the accounts have plenty."""


@dataclass(frozen=True, slots=True)
class Refusal:
    """The account that had no room, and its state at that time."""

    account: str
    limit_nano: int
    spent_nano: int
    held_nano: int


@dataclass(frozen=True, slots=True)
class Decision:
    """Whether a hold fitted, and how much was preallocated with it."""

    refusal: Refusal | None
    ahead_nano: int = 0


_HOLD = "SELECT * FROM hold_budget_ahead($1)"
_ACCOUNTS = """
SELECT account, spent_nano, held_nano FROM budget_accounts WHERE month = $1 AND account = ANY ($2)
"""


class BudgetRepository:
    """Every method raises ``DatabaseUnavailable`` when PostgreSQL is away, and has changed nothing then."""

    def __init__(self, postgres: Postgres) -> None:
        self._postgres = postgres

    async def hold(self, holds: Sequence[Hold]) -> list[Decision]:
        """Hold each of ``holds`` on all of its accounts or on none, in one statement; returns a decision each."""
        return [_decision(row) for row in await self._postgres.fetch(_HOLD, [_call(hold) for hold in holds])]

    async def release_expired(self) -> int:
        """Release the holds whose lease has expired; returns how many."""
        return int(await self._postgres.fetchval("SELECT release_expired_holds()"))

    async def accounts(self, month: date, names: Sequence[str]) -> dict[str, tuple[int, int]]:
        """Return (spent, held) in nano-USD of those of the accounts that were used in ``month``."""
        rows = await self._postgres.fetch(_ACCOUNTS, month, list(names))
        return {row["account"]: (row["spent_nano"], row["held_nano"]) for row in rows}


def _decision(row: Record) -> Decision:
    refused, limit, spent, held, ahead = row
    return Decision(None if refused is None else Refusal(refused, limit, spent, held), ahead)


def _call(hold: Hold) -> dict[str, Any]:
    return {
        "id": str(hold.id),
        "month": hold.month.isoformat(),
        "amount": hold.amount_nano,
        "seconds": hold.seconds,
        "ahead": hold.ahead_nano,
        "accounts": list(hold.limits),
        "limits": list(hold.limits.values()),
    }
