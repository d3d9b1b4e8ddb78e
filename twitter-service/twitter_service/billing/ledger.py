"""The ledger of reading X in PostgreSQL: promise, charge, release; a promise lapses with its lease."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from castor_chassis import Postgres
from twitter_service.billing.budget import Amount, Entry, Limits, Payer, Prices, Standing, check, standings

_TODAY = "SELECT (clock_timestamp() AT TIME ZONE 'UTC')::date"

_ENTRIES = """
SELECT purpose, tenant, day = $1 AS today, sum(posts)::bigint AS posts, sum(micro_usd)::bigint AS micro_usd,
       0::bigint AS held_posts, 0::bigint AS held_micro_usd
FROM x_spending WHERE day >= date_trunc('month', $1::date) AND day <= $1 GROUP BY 1, 2, 3
UNION ALL
SELECT purpose, tenant, true, 0, 0, sum(posts)::bigint, sum(micro_usd)::bigint
FROM x_reservations WHERE lease_until > clock_timestamp() AND id <> $2 GROUP BY 1, 2
"""

_PROMISE = """
INSERT INTO x_reservations (id, purpose, tenant, posts, micro_usd, lease_until)
VALUES ($1, $2, $3, $4, $5, clock_timestamp() + make_interval(secs => $6))
ON CONFLICT (id) DO UPDATE
SET posts = excluded.posts, micro_usd = excluded.micro_usd, lease_until = excluded.lease_until
"""

# Sorted, so that two charges that share ids never wait for one another in a circle.
_BILL = """
WITH fresh AS (
    INSERT INTO x_billed (day, kind, id) SELECT $1, $2, id FROM unnest($3::bigint[]) AS n(id) ORDER BY id
    ON CONFLICT DO NOTHING RETURNING 1
)
SELECT count(*) FROM fresh
"""

_SPEND = """
INSERT INTO x_spending (day, purpose, tenant, reads, posts, micro_usd) VALUES ($1, $2, $3, $4, $5, $6)
ON CONFLICT (day, purpose, tenant) DO UPDATE
SET reads = x_spending.reads + excluded.reads, posts = x_spending.posts + excluded.posts,
    micro_usd = x_spending.micro_usd + excluded.micro_usd
"""

_LESSEN = """
UPDATE x_reservations
SET posts = greatest(0, posts - $2), micro_usd = greatest(0, micro_usd - $3),
    lease_until = clock_timestamp() + make_interval(secs => $4)
WHERE id = $1 AND lease_until > clock_timestamp()
"""


@dataclass(frozen=True)
class Charge:
    """What one answer of X cost: posts read, and of these the ones that were not billed today already."""

    read: int
    billed: Amount


class Ledger:
    """Budget of reading X. Every method raises ``DatabaseUnavailable`` while PostgreSQL is away."""

    def __init__(self, postgres: Postgres, limits: Limits, prices: Prices, *, lease_seconds: float) -> None:
        self._postgres = postgres
        self._limits = limits
        self.prices = prices
        self._lease = lease_seconds

    async def reserve(self, key: str, payer: Payer, posts: int) -> None:
        """Promise the price of ``posts`` under ``key``; raises ``BudgetSpent`` and promises nothing.

        A key that holds a promise already gets this one instead of it, so asking again changes nothing.
        """
        wanted = self.prices.of(posts)
        async with self._postgres.transaction() as connection:
            await connection.execute("SELECT FROM x_ledger FOR UPDATE")
            check(wanted, await self._standings(connection, payer, besides=key))
            await connection.execute(
                _PROMISE, key, payer.purpose, payer.tenant, wanted.posts, wanted.micro_usd, self._lease
            )

    async def charge(self, key: str, payer: Payer, post_ids: Sequence[int], user_ids: Sequence[int] = ()) -> Charge:
        """Record what X served, and lower the promise ``key`` by it and renew its lease.

        It is recorded even where no promise is left, because the money is spent.
        """
        users = sorted(set(user_ids))
        async with self._postgres.transaction() as connection:
            today: date = await connection.fetchval(_TODAY)
            new_posts = await connection.fetchval(_BILL, today, "post", sorted(set(post_ids)))
            new_users = await connection.fetchval(_BILL, today, "user", users) if users else 0
            billed = self.prices.of(new_posts, new_users)
            read = len(set(post_ids))
            await connection.execute(_SPEND, today, payer.purpose, payer.tenant, read, billed.posts, billed.micro_usd)
            await connection.execute(_LESSEN, key, read, self.prices.of(read).micro_usd, self._lease)
            return Charge(read, billed)

    async def release(self, key: str) -> None:
        """Give back what is left of a promise; nothing happens when there is none."""
        await self._postgres.execute("DELETE FROM x_reservations WHERE id = $1", key)

    async def standings(self, payer: Payer) -> list[Standing]:
        """Return where all levels that concern ``payer`` stand."""
        async with self._postgres.connection() as connection:
            return await self._standings(connection, payer)

    async def tidy(self) -> None:
        """Remove what no longer counts."""
        await self._postgres.execute("DELETE FROM x_reservations WHERE lease_until < now() - interval '1 day'")
        await self._postgres.execute("DELETE FROM x_billed WHERE day < (now() AT TIME ZONE 'UTC')::date - 1")

    async def _standings(self, connection: Any, payer: Payer, besides: str = "") -> list[Standing]:
        today: date = await connection.fetchval(_TODAY)
        rows = await connection.fetch(_ENTRIES, today, besides)
        return standings([_entry(row) for row in rows], payer, self._limits, today)


def _entry(row: Any) -> Entry:
    spent, held = Amount(row["posts"], row["micro_usd"]), Amount(row["held_posts"], row["held_micro_usd"])
    return Entry(row["purpose"], row["tenant"], row["today"], spent, held)
