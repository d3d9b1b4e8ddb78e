"""The ledger of reading X in PostgreSQL: what was spent, what is reserved, and what X has billed on a UTC day.

The statements run on a connection of a transaction of ``Ledger``, which orders them.
"""

from __future__ import annotations

from collections.abc import Iterable
from contextlib import AbstractAsyncContextManager
from datetime import date
from typing import Any

from castor_chassis import Postgres
from twitter_service.billing.budget import Amount, LedgerEntry, Payer

_LOCK = "SELECT FROM x_ledger FOR UPDATE"
_TODAY = "SELECT (clock_timestamp() AT TIME ZONE 'UTC')::date"

_ENTRIES = """
WITH spent AS (
    SELECT day, purpose, 'tenant' AS level, tenant AS name, posts, micro_usd FROM x_spending
    UNION ALL SELECT day, purpose, 'organisation', org, posts, micro_usd FROM x_organisation_spending
), reserved AS (
    SELECT purpose, level, name, posts, micro_usd
    FROM x_reservations, LATERAL (VALUES ('tenant', tenant), ('organisation', org)) AS payer (level, name)
    WHERE lease_until > clock_timestamp() AND id <> $2
)
SELECT purpose, level, name, day = $1 AS today, sum(posts)::bigint AS posts, sum(micro_usd)::bigint AS micro_usd,
       0::bigint AS reserved_posts, 0::bigint AS reserved_micro_usd
FROM spent WHERE day >= date_trunc('month', $1::date) AND day <= $1 GROUP BY 1, 2, 3, 4
UNION ALL
SELECT purpose, level, name, true, 0, 0, sum(posts)::bigint, sum(micro_usd)::bigint FROM reserved GROUP BY 1, 2, 3
"""

_RESERVE = """
INSERT INTO x_reservations (id, purpose, tenant, org, posts, micro_usd, lease_until)
VALUES ($1, $2, $3, $4, $5, $6, clock_timestamp() + make_interval(secs => $7))
ON CONFLICT (id) DO UPDATE
SET posts = excluded.posts, micro_usd = excluded.micro_usd, lease_until = excluded.lease_until
"""

# Sorted, so that two charges that share ids never deadlock.
_BILL = """
WITH fresh AS (
    INSERT INTO x_billed (day, kind, id) SELECT $1, $2, id FROM unnest($3::bigint[]) AS n(id) ORDER BY id
    ON CONFLICT DO NOTHING RETURNING 1
)
SELECT count(*) FROM fresh
"""

_SPEND = """
WITH of_organisation AS (
    INSERT INTO x_organisation_spending (day, purpose, org, posts, micro_usd) VALUES ($1, $2, $7, $5, $6)
    ON CONFLICT (day, purpose, org) DO UPDATE
    SET posts = x_organisation_spending.posts + excluded.posts,
        micro_usd = x_organisation_spending.micro_usd + excluded.micro_usd
)
INSERT INTO x_spending (day, purpose, tenant, reads, posts, micro_usd) VALUES ($1, $2, $3, $4, $5, $6)
ON CONFLICT (day, purpose, tenant) DO UPDATE
SET reads = x_spending.reads + excluded.reads, posts = x_spending.posts + excluded.posts,
    micro_usd = x_spending.micro_usd + excluded.micro_usd
"""

_REDUCE = """
UPDATE x_reservations
SET posts = greatest(0, posts - $2), micro_usd = greatest(0, micro_usd - $3),
    lease_until = clock_timestamp() + make_interval(secs => $4)
WHERE id = $1 AND lease_until > clock_timestamp()
"""

_RELEASE = "DELETE FROM x_reservations WHERE id = $1"
_PURGE_RESERVATIONS = "DELETE FROM x_reservations WHERE lease_until < now() - interval '1 day'"
_PURGE_BILLED = "DELETE FROM x_billed WHERE day < (now() AT TIME ZONE 'UTC')::date - 1"


class LedgerRepository:
    """Statements on the ledger; ``lease_seconds`` is how long a reservation counts unless it is renewed."""

    def __init__(self, postgres: Postgres, *, lease_seconds: float) -> None:
        self._postgres = postgres
        self._lease = lease_seconds

    def transaction(self) -> AbstractAsyncContextManager[Any]:
        """Return a transaction, to be entered; it gives the connection of the other methods."""
        return self._postgres.transaction()

    async def lock(self, connection: Any) -> None:
        """Make other reservations wait until commit, so that no two are checked against the same rest."""
        await connection.execute(_LOCK)

    async def today(self, connection: Any) -> date:
        """Return the UTC day by the clock of the database."""
        day: date = await connection.fetchval(_TODAY)
        return day

    async def entries(self, connection: Any, today: date, besides: str) -> list[LedgerEntry]:
        """Return what was spent this month and what is reserved, leaving out the reservation ``besides``."""
        return [_entry(row) for row in await connection.fetch(_ENTRIES, today, besides)]

    async def reserve(self, connection: Any, key: str, payer: Payer, amount: Amount) -> None:
        """Store a reservation, in place of one under the same key."""
        await connection.execute(
            _RESERVE, key, payer.purpose, payer.tenant, payer.org, amount.posts, amount.micro_usd, self._lease
        )

    async def bill(self, connection: Any, today: date, kind: str, ids: Iterable[int]) -> int:
        """Note that X billed posts or users today; return how many it had not billed today already."""
        new: int = await connection.fetchval(_BILL, today, kind, sorted(set(ids)))
        return new

    async def spend(self, connection: Any, today: date, payer: Payer, reads: int, billed: Amount) -> None:
        """Add to what was spent today."""
        await connection.execute(
            _SPEND, today, payer.purpose, payer.tenant, reads, billed.posts, billed.micro_usd, payer.org
        )

    async def reduce(self, connection: Any, key: str, amount: Amount) -> None:
        """Lower a reservation and renew its lease; nothing happens where it has lapsed."""
        await connection.execute(_REDUCE, key, amount.posts, amount.micro_usd, self._lease)

    async def release(self, key: str) -> None:
        """Delete a reservation."""
        await self._postgres.execute(_RELEASE, key)

    async def purge_expired(self) -> None:
        """Delete reservations that lapsed a day ago, and what X billed before yesterday."""
        await self._postgres.execute(_PURGE_RESERVATIONS)
        await self._postgres.execute(_PURGE_BILLED)


def _entry(row: Any) -> LedgerEntry:
    spent, reserved = Amount(row["posts"], row["micro_usd"]), Amount(row["reserved_posts"], row["reserved_micro_usd"])
    return LedgerEntry(row["purpose"], row["level"], row["name"], row["today"], spent, reserved)
