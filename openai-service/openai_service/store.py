"""The ledger's SQL."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import astuple, dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

from castor_chassis import Postgres


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


_ADD = """
INSERT INTO calls VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16)
ON CONFLICT (id) DO NOTHING
"""

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

    async def add(self, calls: Sequence[Call]) -> None:
        """Store ``calls`` in one transaction; those already stored are left as they are."""
        await self._postgres.executemany(_ADD, [astuple(call) for call in calls])

    async def usage(self, since: datetime, until: datetime) -> list[dict[str, Any]]:
        """Return the sums per day (UTC), operation, provider and model of calls in [since, until)."""
        return [dict(row) for row in await self._postgres.fetch(_USAGE, since, until)]
