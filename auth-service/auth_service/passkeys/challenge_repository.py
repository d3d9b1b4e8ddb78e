"""The SQL of table ``used_challenges``."""

from __future__ import annotations

from datetime import timedelta

from castor_chassis.storage.postgres import Database, affected_rows


async def use_challenge(db: Database, challenge_hash: bytes, lifetime: timedelta) -> bool:
    """Use up a challenge; False when it was used before."""
    tag = await db.execute(
        "INSERT INTO used_challenges (challenge_hash, expires_at) VALUES ($1, now() + $2) ON CONFLICT DO NOTHING",
        *(challenge_hash, lifetime),
    )
    return affected_rows(tag) == 1


async def delete_expired(db: Database) -> None:
    """Delete challenges that nobody could answer any more anyhow."""
    await db.execute("DELETE FROM used_challenges WHERE expires_at < now()")
