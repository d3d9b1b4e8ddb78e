"""SQL of the ledger."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields
from datetime import date, datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

from castor_chassis import Postgres, affected_rows
from openai_service.billing.preallocation import Allocation


@dataclass(frozen=True, slots=True)
class Call:
    """One call of a model; the fields are the columns of ``calls``, in their order."""

    id: UUID
    called_at: datetime
    request_id: str
    principal: str
    operation: str
    requested_model: str
    provider: str
    model: str
    prompt_tokens: int | None
    completion_tokens: int | None
    cost_usd: Decimal | None
    latency_ms: float
    streamed: bool
    degraded: bool
    status: str
    fallback_reason: str | None
    tenant: str | None = None
    service: str | None = None
    task: str | None = None
    prompt_version: str | None = None
    cache: str | None = None
    attempts: int | None = None
    cost_basis: str | None = None
    prompt: list[Any] | None = None
    org: str | None = None


@dataclass(frozen=True, slots=True)
class Entry:
    """A call to store, the accounts that its cost is booked on, and the holds that end with it."""

    call: Call
    month: date
    accounts: tuple[str, ...] = ()
    nano: int = 0
    holds: tuple[Allocation, ...] = ()


_SETTLE = "SELECT settle_calls_in_parts($1)"
_RELEASE_UNUSED = "SELECT close_holds($1)"
_RELEASE_HOLDS = "SELECT move_budget(ended_holds($1))"

_USAGE = """
SELECT (called_at AT TIME ZONE 'UTC')::date AS date, operation, provider, model,
       count(*) AS calls,
       count(*) FILTER (WHERE status <> 'ok') AS failed,
       count(*) FILTER (WHERE degraded) AS degraded,
       coalesce(sum(prompt_tokens), 0)::bigint AS prompt_tokens,
       coalesce(sum(completion_tokens), 0)::bigint AS completion_tokens,
       coalesce(sum(cost_usd), 0)::float8 AS cost_usd,
       count(*) FILTER (WHERE cost_usd IS NULL) AS unpriced_calls,
       avg(latency_ms) AS mean_latency_ms
FROM calls
WHERE called_at >= $1 AND called_at < $2 AND ($3::text IS NULL OR coalesce(org, 'default') = $3)
GROUP BY 1, 2, 3, 4
ORDER BY 1, 2, 3, 4
"""


_DELETE_CALLS = """
DELETE FROM calls WHERE id IN (
    SELECT id FROM calls WHERE called_at < $1 ORDER BY called_at LIMIT $2 FOR UPDATE SKIP LOCKED
)
"""


@dataclass(frozen=True, slots=True)
class DailyUsage:
    """What one model was used for on one day (UTC)."""

    date: date
    operation: str
    provider: str
    model: str
    calls: int
    failed: int
    degraded: int
    prompt_tokens: int
    completion_tokens: int
    cost_usd: float
    unpriced_calls: int
    """Calls whose cost is unknown and not in ``cost_usd``."""
    mean_latency_ms: float


class LedgerRepository:
    """Every method raises ``DatabaseUnavailable`` when PostgreSQL is away."""

    def __init__(self, postgres: Postgres) -> None:
        self._postgres = postgres

    async def settle(self, entries: Sequence[Entry]) -> None:
        """Store calls, book their costs and end their holds in one transaction; a stored call is not booked again."""
        await self._postgres.execute(_SETTLE, [_entry(entry) for entry in entries])

    async def release_unused(self, unused: Sequence[Allocation]) -> None:
        """Give back unused preallocations; a hold that was given back already counts once."""
        await self._postgres.execute(_RELEASE_UNUSED, [_allocation(allocation) for allocation in unused])

    async def release_holds(self, holds: Sequence[UUID]) -> None:
        """End holds of which nothing was spent."""
        await self._postgres.execute(_RELEASE_HOLDS, list(holds))

    async def usage(self, since: datetime, until: datetime, org: str | None) -> list[DailyUsage]:
        """Return the sums per day (UTC), operation, provider and model of calls in [since, until), oldest day first.

        ``org`` None: of all organisations.
        """
        return [DailyUsage(**row) for row in await self._postgres.fetch(_USAGE, since, until, org)]

    async def delete_calls_before(self, moment: datetime, limit: int) -> int:
        """Delete at most ``limit`` calls made before ``moment``, oldest first; return how many."""
        return affected_rows(await self._postgres.execute(_DELETE_CALLS, moment, limit))

    async def delete_accounts_before(self, month: date) -> None:
        """Delete what was spent in months before ``month``."""
        await self._postgres.execute("DELETE FROM budget_accounts WHERE month < $1", month)


_COLUMNS = [column.name for column in fields(Call)]


def _entry(entry: Entry) -> dict[str, Any]:
    row = {name: _json_value(getattr(entry.call, name)) for name in _COLUMNS}
    return {
        "row": row,
        "month": entry.month.isoformat(),
        "accounts": entry.accounts,
        "nano": entry.nano,
        "parts": [_allocation(allocation) for allocation in entry.holds],
    }


def _allocation(allocation: Allocation) -> dict[str, Any]:
    return {"id": str(allocation.hold), "nano": allocation.nano}


def _json_value(value: Any) -> Any:
    # As text, because a JSON number could be read as a float, which is not exact.
    return str(value) if isinstance(value, Decimal) else value
