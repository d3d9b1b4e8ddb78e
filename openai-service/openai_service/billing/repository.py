"""The ledger's SQL."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields
from datetime import date, datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

from castor_chassis import Postgres
from openai_service.billing.preallocation import Part


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


@dataclass(frozen=True, slots=True)
class Entry:
    """A call to be stored, where its cost is booked, and the holds that end with it."""

    call: Call
    month: date
    accounts: tuple[str, ...] = ()
    nano: int = 0
    holds: tuple[Part, ...] = ()


_SETTLE = "SELECT settle_calls_in_parts($1)"
_CLOSE = "SELECT close_holds($1)"
_RELEASE = "SELECT move_budget(ended_holds($1))"
_ERASE_PROMPTS = "SELECT erase_prompts($1)"
_FORGET_PROMPTS = "SELECT forget_prompts_before($1)"

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
WHERE called_at >= $1 AND called_at < $2
GROUP BY 1, 2, 3, 4
ORDER BY 1, 2, 3, 4
"""


class LedgerStore:
    """Every method raises ``DatabaseUnavailable`` when PostgreSQL is away."""

    def __init__(self, postgres: Postgres) -> None:
        self._postgres = postgres

    async def settle(self, entries: Sequence[Entry]) -> None:
        """Store calls, book their costs and end their holds in one transaction; what is stored already counts once."""
        await self._postgres.execute(_SETTLE, [_entry(entry) for entry in entries])

    async def close(self, parts: Sequence[Part]) -> None:
        """Give back what was held ahead and is not used; a hold that was closed already gives nothing back again."""
        await self._postgres.execute(_CLOSE, [_part(part) for part in parts])

    async def release(self, holds: Sequence[UUID]) -> None:
        """End holds that nothing was spent of."""
        await self._postgres.execute(_RELEASE, list(holds))

    async def erase_prompts(self, tenant: str) -> int:
        """Erase the prompts of ``tenant``'s calls so far, those not yet stored too; returns how many were stored."""
        return int(await self._postgres.fetchval(_ERASE_PROMPTS, tenant))

    async def forget_prompts(self, before: datetime) -> int:
        """Erase at most 1,000 prompts of calls before ``before``; returns how many."""
        return int(await self._postgres.fetchval(_FORGET_PROMPTS, before))

    async def usage(self, since: datetime, until: datetime) -> list[dict[str, Any]]:
        """Return the sums per day (UTC), operation, provider and model of calls in [since, until)."""
        return [dict(row) for row in await self._postgres.fetch(_USAGE, since, until)]


_COLUMNS = [column.name for column in fields(Call)]


def _entry(entry: Entry) -> dict[str, Any]:
    row = {name: _plain(getattr(entry.call, name)) for name in _COLUMNS}
    parts = [_part(part) for part in entry.holds]
    return {
        "row": row,
        "month": entry.month.isoformat(),
        "accounts": entry.accounts,
        "nano": entry.nano,
        "parts": parts,
    }


def _part(part: Part) -> dict[str, Any]:
    return {"id": str(part.hold), "nano": part.nano}


def _plain(value: Any) -> Any:
    # As a JSON number an exact amount could be read as a float.
    return str(value) if isinstance(value, Decimal) else value
