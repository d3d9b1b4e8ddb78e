"""The SQL of the outbox."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta

from auth_service.users.repository import AuthStore


@dataclass(frozen=True, slots=True)
class Entry:
    """A sealed message that waits to be sent."""

    id: int
    sealed: bytes
    attempts: int


async def insert(db: AuthStore, sealed: bytes) -> None:
    """Append a message."""
    await db.execute("INSERT INTO outbox (sealed) VALUES ($1)", sealed)


async def size(db: AuthStore) -> int:
    """Return how many messages wait."""
    return int(await db.fetchval("SELECT count(*) FROM outbox"))


async def due(db: AuthStore, limit: int) -> list[Entry]:
    """Return the messages whose time has come, oldest first."""
    rows = await db.fetch("SELECT id, sealed, attempts FROM outbox WHERE due_at <= now() ORDER BY id LIMIT $1", limit)
    return [Entry(row["id"], row["sealed"], row["attempts"]) for row in rows]


async def remove(db: AuthStore, entry_id: int) -> None:
    """Forget a message that was sent or given up."""
    await db.execute("DELETE FROM outbox WHERE id = $1", entry_id)


async def postpone(db: AuthStore, entry_id: int, wait: timedelta) -> None:
    """Try a message again later."""
    await db.execute("UPDATE outbox SET attempts = attempts + 1, due_at = now() + $2 WHERE id = $1", entry_id, wait)
