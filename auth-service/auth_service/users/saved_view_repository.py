"""The SQL of table ``saved_views``."""

from __future__ import annotations

import uuid
from dataclasses import dataclass
from datetime import datetime

from castor_chassis.storage.postgres import Database, affected_rows


@dataclass(frozen=True, slots=True)
class SavedView:
    """An address of a frontend under a name."""

    id: uuid.UUID
    name: str
    address: str
    saved_at: datetime


async def of_user(db: Database, user_id: uuid.UUID) -> list[SavedView]:
    """Return a user's views in order of name."""
    rows = await db.fetch(
        'SELECT id, name, address, saved_at FROM saved_views WHERE user_id = $1 ORDER BY name COLLATE "C"', user_id
    )
    return [SavedView(**dict(row)) for row in rows]


async def save(db: Database, user_id: uuid.UUID, name: str, address: str, most: int) -> SavedView | None:
    """Store a view, in place of the user's one of this name; None when it would be one more than ``most``."""
    row = await db.fetchrow(
        "INSERT INTO saved_views (user_id, name, address) SELECT $1, $2, $3 WHERE $4 > "
        "(SELECT count(*) FROM saved_views WHERE user_id = $1 AND name <> $2) "
        "ON CONFLICT (user_id, name) DO UPDATE SET address = EXCLUDED.address, saved_at = now() "
        "RETURNING id, name, address, saved_at",
        *(user_id, name, address, most),
    )
    return SavedView(**dict(row)) if row else None


async def delete(db: Database, user_id: uuid.UUID, view_id: uuid.UUID) -> bool:
    """Delete a user's view; False: no such view."""
    tag = await db.execute("DELETE FROM saved_views WHERE user_id = $1 AND id = $2", user_id, view_id)
    return affected_rows(tag) == 1
