"""The SQL of table ``outbox``."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from castor_chassis.storage.postgres import Database


@dataclass(frozen=True, slots=True)
class QueuedEntry:
    """A sealed message that waits to be sent."""

    id: int
    sealed: bytes
    attempts: int
    """Failed attempts to send it."""
    created_at: datetime


async def insert(db: Database, sealed: bytes) -> None:
    """Append a message."""
    await db.execute("INSERT INTO outbox (sealed) VALUES ($1)", sealed)


async def size(db: Database) -> int:
    """Return how many messages wait."""
    return int(await db.fetchval("SELECT count(*) FROM outbox"))


async def due(db: Database, limit: int) -> list[QueuedEntry]:
    """Return the messages that are due, oldest first."""
    sql = "SELECT id, sealed, attempts, created_at FROM outbox WHERE due_at <= now() ORDER BY id LIMIT $1"
    return [QueuedEntry(**dict(row)) for row in await db.fetch(sql, limit)]


async def remove(db: Database, entry_id: int) -> None:
    """Delete a message that was sent or given up."""
    await db.execute("DELETE FROM outbox WHERE id = $1", entry_id)


async def postpone(db: Database, entry_id: int, wait: timedelta) -> None:
    """Count a failed attempt; the message is due again after ``wait``."""
    await db.execute("UPDATE outbox SET attempts = attempts + 1, due_at = now() + $2 WHERE id = $1", entry_id, wait)
