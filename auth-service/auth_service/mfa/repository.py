"""The SQL of a user's TOTP key (columns of ``users``) and of table ``recovery_codes``."""

from __future__ import annotations

import uuid

from castor_chassis.storage.postgres import Database, affected_rows


async def sealed_key(db: Database, user_id: uuid.UUID) -> bytes | None:
    """Return the sealed key of a user, confirmed or not."""
    sealed: bytes | None = await db.fetchval("SELECT totp_sealed FROM users WHERE id = $1", user_id)
    return sealed


async def set_key(db: Database, user_id: uuid.UUID, sealed: bytes) -> None:
    """Store a key that is not confirmed yet; a confirmed key is never replaced."""
    await db.execute("UPDATE users SET totp_sealed = $2 WHERE id = $1 AND totp_confirmed_at IS NULL", user_id, sealed)


async def confirm(db: Database, user_id: uuid.UUID, sealed: bytes, step: int) -> bool:
    """Put a key in force, unless another was stored meanwhile; the step of the code that confirmed it is used up."""
    tag = await db.execute(
        "UPDATE users SET totp_confirmed_at = now(), totp_last_step = $3, credentials_changed_at = clock_timestamp() "
        "WHERE id = $1 AND totp_sealed = $2 AND totp_confirmed_at IS NULL",
        *(user_id, sealed, step),
    )
    return affected_rows(tag) == 1


async def use_step(db: Database, user_id: uuid.UUID, step: int) -> bool:
    """Use up a step; False when it, or a later one, was used before."""
    tag = await db.execute(
        "UPDATE users SET totp_last_step = $2 WHERE id = $1 AND totp_last_step < $2 AND totp_confirmed_at IS NOT NULL",
        *(user_id, step),
    )
    return affected_rows(tag) == 1


async def use_recovery_code(db: Database, user_id: uuid.UUID, code_hash: bytes) -> bool:
    """Use up a recovery code; False when there is no such code."""
    tag = await db.execute("DELETE FROM recovery_codes WHERE user_id = $1 AND code_hash = $2", user_id, code_hash)
    return affected_rows(tag) == 1


async def replace_recovery_codes(db: Database, user_id: uuid.UUID, code_hashes: list[bytes]) -> None:
    """Store recovery codes in place of all others."""
    await db.execute("DELETE FROM recovery_codes WHERE user_id = $1", user_id)
    await db.execute(
        "INSERT INTO recovery_codes (user_id, code_hash) SELECT $1, unnest($2::bytea[])", user_id, code_hashes
    )


async def recovery_codes_left(db: Database, user_id: uuid.UUID) -> int:
    """Return how many recovery codes are left."""
    return int(await db.fetchval("SELECT count(*) FROM recovery_codes WHERE user_id = $1", user_id))


async def remove(db: Database, user_id: uuid.UUID) -> None:
    """Delete key and recovery codes."""
    await db.execute(
        "UPDATE users SET totp_sealed = NULL, totp_confirmed_at = NULL, credentials_changed_at = clock_timestamp() "
        "WHERE id = $1",
        user_id,
    )
    await db.execute("DELETE FROM recovery_codes WHERE user_id = $1", user_id)
