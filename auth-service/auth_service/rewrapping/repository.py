"""The SQL of everything that is stored sealed: signing keys, TOTP keys, waiting mails."""

from __future__ import annotations

from castor_chassis.storage.postgres import Database, affected_rows

# Name of a kind: its table, the text of its id, its column.
_KINDS = {
    "signing_keys": ("signing_keys", "kid", "sealed"),
    "totp_keys": ("users", "id::text", "totp_sealed"),
    "mails": ("outbox", "id::text", "sealed"),
}
KINDS = tuple(_KINDS)


async def sealed(db: Database, kind: str, after: str, limit: int) -> list[tuple[str, bytes]]:
    """Return the ids and texts of a kind that come after an id, in the order of their ids."""
    table, row_id, column = _KINDS[kind]
    rows = await db.fetch(
        f"SELECT {row_id} AS row_id, {column} AS sealed FROM {table} WHERE {column} IS NOT NULL "
        f'AND {row_id} COLLATE "C" > $1 ORDER BY {row_id} COLLATE "C" LIMIT $2',
        *(after, limit),
    )
    return [(row["row_id"], row["sealed"]) for row in rows]


async def replace(db: Database, kind: str, row_id: str, old: bytes, new: bytes) -> bool:
    """Store another text in place of ``old``; False when it was changed or deleted meanwhile."""
    table, id_column, column = _KINDS[kind]
    sql = f"UPDATE {table} SET {column} = $3 WHERE {id_column} = $1 AND {column} = $2"
    return affected_rows(await db.execute(sql, row_id, old, new)) == 1
