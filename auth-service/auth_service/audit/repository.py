"""The SQL of tables ``audit_events``, ``audit_chain`` and ``audit_seals``."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import asyncpg

from castor_chassis import ANY_TIME, Postgres, TimeSpan
from castor_chassis.storage.postgres import Database, affected_rows

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
    """One event in its chain; ``id`` is None when the event itself was deleted."""

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
class Head:
    """The last link of the chain; number 0 and an empty hash for an empty chain."""

    seq: int
    hash: bytes


@dataclass(frozen=True, slots=True)
class Seal:
    """The head of the chain at a time, authenticated with the service's secret."""

    seq: int
    hash: bytes
    sealed_at: datetime
    mac: bytes


async def insert_event(
    db: Database,
    event: str,
    subject: str | None,
    address_hash: str | None,
    request_id: str | None,
    details: Mapping[str, object],
) -> None:
    """Append one security event; the database adds it to the chain when the transaction commits."""
    await db.execute(
        "INSERT INTO audit_events (event, subject, address_hash, request_id, details) VALUES ($1, $2, $3, $4, $5)",
        *(event, subject, address_hash, request_id, details),
    )


async def links(
    db: Database,
    after: int,
    limit: int,
    *,
    subject: str | None = None,
    event: str | None = None,
    org: str | None = None,
    written: TimeSpan = ANY_TIME,
) -> list[Link]:
    """Return up to ``limit`` links after number ``after``: all, or of a subject, event, organisation, or time."""
    rows = await db.fetch(
        f"SELECT {_LINK} WHERE c.seq > $1 AND ($3::text IS NULL OR e.subject = $3) "
        "AND ($4::text IS NULL OR e.event = $4) "
        "AND ($5::text IS NULL OR e.subject IN (SELECT u.id::text FROM users u WHERE u.org = $5)) "
        "AND ($6::timestamptz IS NULL OR e.at >= $6) AND ($7::timestamptz IS NULL OR e.at < $7) "
        "ORDER BY c.seq LIMIT $2",
        *(after, limit, subject, event, org, *written),
    )
    return [_link(row) for row in rows]


async def pages(db: Database, after: int, limit: int, batch: int = 1000, **only: Any) -> AsyncIterator[list[Link]]:
    """Yield what ``links`` returns in batches; links that are appended meanwhile are included."""
    while limit > 0:
        found = await links(db, after, min(batch, limit), **only)
        if not found:
            return
        yield found
        limit -= len(found)
        after = found[-1].seq


async def head(db: Database) -> Head:
    """Return the last link."""
    row = await db.fetchrow("SELECT seq, hash FROM audit_chain ORDER BY seq DESC LIMIT 1")
    return Head(row["seq"], row["hash"]) if row else Head(0, b"")


async def first(db: Database) -> int:
    """Return the number of the oldest link; 0 for an empty chain."""
    return int(await db.fetchval("SELECT coalesce(min(seq), 0) FROM audit_chain"))


async def events_outside_chain(db: Database) -> int:
    """Return how many events are not part of the chain."""
    sql = "SELECT count(*) FROM audit_events e LEFT JOIN audit_chain c ON c.event_id = e.id WHERE c.seq IS NULL"
    return int(await db.fetchval(sql))


async def seals(db: Database) -> list[Seal]:
    """Return all seals, oldest first."""
    rows = await db.fetch("SELECT seq, hash, sealed_at, seal FROM audit_seals ORDER BY seq")
    return [Seal(row["seq"], row["hash"], row["sealed_at"], row["seal"]) for row in rows]


async def insert_seal(db: Database, seal: Seal) -> None:
    """Store a seal, unless there is one for the same link."""
    await db.execute(
        "INSERT INTO audit_seals (seq, hash, sealed_at, seal) VALUES ($1, $2, $3, $4) ON CONFLICT DO NOTHING",
        *(seal.seq, seal.hash, seal.sealed_at, seal.mac),
    )


async def delete_sealed(postgres: Postgres, sealed_before: datetime, most: int = 10_000) -> int:
    """Delete the oldest links, about ``most`` of them, up to a seal made before then; return how many links.

    That seal stays, and so does the last link, which the next one needs.
    """
    async with postgres.transaction() as db:
        seal = await db.fetchval(_OLD_SEAL, sealed_before, most)
        if seal is None:
            return 0
        await db.execute("SELECT set_config('auth_service.audit_retention', 'on', true)")
        await db.execute("DELETE FROM audit_events e USING audit_chain c WHERE c.event_id = e.id AND c.seq <= $1", seal)
        deleted = await db.execute("DELETE FROM audit_chain WHERE seq <= $1", seal)
        await db.execute("DELETE FROM audit_seals WHERE seq < $1", seal)
        return affected_rows(deleted)


def _link(row: asyncpg.Record) -> Link:
    who = row["event"], row["subject"], row["address_hash"], row["request_id"]
    return Link(row["seq"], row["id"], row["at"], *who, row["details"] or {}, row["hash"])
