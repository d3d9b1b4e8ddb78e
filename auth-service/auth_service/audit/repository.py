"""The SQL of the audit chain."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import asyncpg

from castor_chassis import Postgres

_LINK = (
    "c.seq, e.id, to_char(e.at AT TIME ZONE 'UTC', 'YYYY-MM-DD\"T\"HH24:MI:SS.US\"Z\"') AS at, e.event, e.subject, "
    "e.address_hash, e.request_id, e.details, c.hash FROM audit_chain c LEFT JOIN audit_events e ON e.id = c.event_id"
)

_OLD_SEAL = (
    "SELECT coalesce(max(s.seq) FILTER (WHERE s.seq < c.first + $2), min(s.seq)) FROM audit_seals s, "
    "(SELECT min(seq) AS first, max(seq) AS last FROM audit_chain) c "
    "WHERE s.seq >= c.first AND s.seq < c.last AND s.sealed_at < $1"
)


@dataclass(frozen=True, slots=True)
class Link:
    """One event in its chain; ``id`` is None when the event itself is gone."""

    seq: int
    id: int | None
    at: str | None
    event: str | None
    subject: str | None
    address_hash: str | None
    request_id: str | None
    details: dict[str, Any]
    hash: bytes


@dataclass(frozen=True, slots=True)
class Seal:
    """The head of the chain at a time, vouched for by whoever holds the service's secret."""

    seq: int
    hash: bytes
    sealed_at: datetime
    seal: bytes


class AuditStore:
    """Reads the chain in its order, and keeps its seals."""

    def __init__(self, postgres: Postgres) -> None:
        self._db = postgres

    async def links(
        self, after: int, limit: int, *, subject: str | None = None, event: str | None = None
    ) -> list[Link]:
        """Return up to ``limit`` links behind ``after``; all of them, or those of a subject or an event."""
        rows = await self._db.fetch(
            f"SELECT {_LINK} WHERE c.seq > $1 AND ($3::text IS NULL OR e.subject = $3) "
            "AND ($4::text IS NULL OR e.event = $4) ORDER BY c.seq LIMIT $2",
            *(after, limit, subject, event),
        )
        return [_link(row) for row in rows]

    async def pages(
        self, after: int, limit: int, batch: int = 1000, *, subject: str | None = None, event: str | None = None
    ) -> AsyncIterator[list[Link]]:
        """Yield up to ``limit`` links in batches; what is appended meanwhile is included."""
        while limit > 0:
            found = await self.links(after, min(batch, limit), subject=subject, event=event)
            if not found:
                return
            yield found
            limit -= len(found)
            after = found[-1].seq

    async def head(self) -> tuple[int, bytes]:
        """Return number and hash of the last link; (0, b"") for an empty chain."""
        row = await self._db.fetchrow("SELECT seq, hash FROM audit_chain ORDER BY seq DESC LIMIT 1")
        return (row["seq"], row["hash"]) if row else (0, b"")

    async def first(self) -> int:
        """Return the number of the oldest link; 0 for an empty chain."""
        return int(await self._db.fetchval("SELECT coalesce(min(seq), 0) FROM audit_chain"))

    async def unchained(self) -> int:
        """Return how many events stand outside the chain."""
        sql = "SELECT count(*) FROM audit_events e LEFT JOIN audit_chain c ON c.event_id = e.id WHERE c.seq IS NULL"
        return int(await self._db.fetchval(sql))

    async def seals(self) -> list[Seal]:
        """Return all seals, oldest first."""
        rows = await self._db.fetch("SELECT seq, hash, sealed_at, seal FROM audit_seals ORDER BY seq")
        return [Seal(row["seq"], row["hash"], row["sealed_at"], row["seal"]) for row in rows]

    async def insert_seal(self, seal: Seal) -> None:
        """Keep a seal; the first of a place stays."""
        await self._db.execute(
            "INSERT INTO audit_seals (seq, hash, sealed_at, seal) VALUES ($1, $2, $3, $4) ON CONFLICT DO NOTHING",
            *(seal.seq, seal.hash, seal.sealed_at, seal.seal),
        )

    async def forget(self, sealed_before: datetime, most: int = 10_000) -> int:
        """Remove the oldest links, and about ``most`` of them, up to a seal made before then; return how many.

        That seal stays, and so does the last link, which the next one needs.
        """
        async with self._db.transaction() as connection:
            seal = await connection.fetchval(_OLD_SEAL, sealed_before, most)
            if seal is None:
                return 0
            await connection.execute("SELECT set_config('auth_service.audit_retention', 'on', true)")
            await connection.execute(
                "DELETE FROM audit_events e USING audit_chain c WHERE c.event_id = e.id AND c.seq <= $1", seal
            )
            done = await connection.execute("DELETE FROM audit_chain WHERE seq <= $1", seal)
            await connection.execute("DELETE FROM audit_seals WHERE seq < $1", seal)
            return int(done.split()[-1])


def _link(row: asyncpg.Record) -> Link:
    who = row["event"], row["subject"], row["address_hash"], row["request_id"]
    return Link(row["seq"], row["id"], row["at"], *who, row["details"] or {}, row["hash"])
