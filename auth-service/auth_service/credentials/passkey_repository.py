"""The SQL of table ``passkeys``."""

from __future__ import annotations

import uuid

from auth_service.credentials.model import Passkey, PublicKey
from castor_chassis.storage.postgres import Database, affected_rows


async def insert(
    db: Database, passkey_id: bytes, user_id: uuid.UUID, name: str, public_key: bytes, sign_count: int
) -> bool:
    """Store a passkey, which is a credential of the account from now on; False when there is one of this id."""
    tag = await db.execute(
        "INSERT INTO passkeys (id, user_id, name, public_key, sign_count) VALUES ($1, $2, $3, $4, $5) "
        "ON CONFLICT DO NOTHING",
        *(passkey_id, user_id, name, public_key, sign_count),
    )
    return affected_rows(tag) == 1


async def of_user(db: Database, user_id: uuid.UUID) -> list[Passkey]:
    """Return a user's passkeys, oldest first."""
    rows = await db.fetch(
        "SELECT id, name, created_at, last_used_at FROM passkeys WHERE user_id = $1 ORDER BY created_at, id", user_id
    )
    return [Passkey(**dict(row)) for row in rows]


async def public_key(db: Database, passkey_id: bytes) -> PublicKey | None:
    """Return the key of an active account."""
    row = await db.fetchrow(
        "SELECT p.user_id, p.public_key, p.sign_count FROM passkeys p JOIN users u ON u.id = p.user_id "
        "WHERE p.id = $1 AND u.is_active",
        passkey_id,
    )
    return PublicKey(**dict(row)) if row else None


async def note_use(db: Database, passkey_id: bytes, sign_count: int) -> None:
    """Note that a passkey was used now, and its counter."""
    await db.execute("UPDATE passkeys SET sign_count = $2, last_used_at = now() WHERE id = $1", passkey_id, sign_count)


async def rename(db: Database, user_id: uuid.UUID, passkey_id: bytes, name: str) -> bool:
    """Give a user's passkey another name; False: no such passkey."""
    sql = "UPDATE passkeys SET name = $3 WHERE user_id = $1 AND id = $2"
    return affected_rows(await db.execute(sql, user_id, passkey_id, name)) == 1


async def delete(db: Database, user_id: uuid.UUID, passkey_id: bytes) -> bool:
    """Delete a user's passkey; False: no such passkey."""
    tag = await db.execute("DELETE FROM passkeys WHERE user_id = $1 AND id = $2", user_id, passkey_id)
    return affected_rows(tag) == 1


async def delete_all(db: Database, user_id: uuid.UUID) -> int:
    """Delete all passkeys of a user; return how many there were."""
    return affected_rows(await db.execute("DELETE FROM passkeys WHERE user_id = $1", user_id))


async def note_change(db: Database, user_id: uuid.UUID) -> None:
    """Note that the factors of an account changed: what was begun before is void."""
    await db.execute("UPDATE users SET credentials_changed_at = clock_timestamp() WHERE id = $1", user_id)
