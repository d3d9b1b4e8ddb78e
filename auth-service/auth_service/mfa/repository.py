"""The SQL of second factors."""

from __future__ import annotations

import uuid

from auth_service.users.repository import AuthStore


async def key(db: AuthStore, user_id: uuid.UUID) -> bytes | None:
    """Return the sealed key of a user, confirmed or not."""
    sealed: bytes | None = await db.fetchval("SELECT totp_sealed FROM users WHERE id = $1", user_id)
    return sealed


async def set_key(db: AuthStore, user_id: uuid.UUID, sealed: bytes) -> None:
    """Store a key that does not count yet."""
    await db.execute("UPDATE users SET totp_sealed = $2 WHERE id = $1 AND totp_confirmed_at IS NULL", user_id, sealed)


async def confirm(db: AuthStore, user_id: uuid.UUID, step: int) -> None:
    """Make the stored key count; the step of the code that confirmed it is used."""
    await db.execute("UPDATE users SET totp_confirmed_at = now(), totp_last_step = $2 WHERE id = $1", user_id, step)


async def use_step(db: AuthStore, user_id: uuid.UUID, step: int) -> bool:
    """Use up a step; False when it, or a later one, was used before."""
    tag = await db.execute(
        "UPDATE users SET totp_last_step = $2 WHERE id = $1 AND totp_last_step < $2 AND totp_confirmed_at IS NOT NULL",
        *(user_id, step),
    )
    return str(tag) == "UPDATE 1"


async def use_code(db: AuthStore, user_id: uuid.UUID, code_hash: bytes) -> bool:
    """Use up a recovery code; False when there is no such code."""
    tag = await db.execute("DELETE FROM recovery_codes WHERE user_id = $1 AND code_hash = $2", user_id, code_hash)
    return str(tag) == "DELETE 1"


async def replace_codes(db: AuthStore, user_id: uuid.UUID, code_hashes: list[bytes]) -> None:
    """Store recovery codes in place of all others."""
    await db.execute("DELETE FROM recovery_codes WHERE user_id = $1", user_id)
    await db.execute(
        "INSERT INTO recovery_codes (user_id, code_hash) SELECT $1, unnest($2::bytea[])", user_id, code_hashes
    )


async def codes_left(db: AuthStore, user_id: uuid.UUID) -> int:
    """Return how many recovery codes are left."""
    return int(await db.fetchval("SELECT count(*) FROM recovery_codes WHERE user_id = $1", user_id))


async def remove(db: AuthStore, user_id: uuid.UUID) -> None:
    """Forget key and codes."""
    await db.execute("UPDATE users SET totp_sealed = NULL, totp_confirmed_at = NULL WHERE id = $1", user_id)
    await db.execute("DELETE FROM recovery_codes WHERE user_id = $1", user_id)
