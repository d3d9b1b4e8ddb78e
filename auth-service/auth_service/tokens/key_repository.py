"""The SQL of table ``signing_keys``."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta

import asyncpg

from castor_chassis.storage.postgres import Database


@dataclass(frozen=True, slots=True)
class SealedKey:
    """A signing key as it is stored."""

    kid: str
    sealed: bytes
    signs: bool
    """Whether it has been activated; a key is published some time before."""


async def lock(db: asyncpg.Connection) -> None:
    """Wait until no other replica is making a signing key; released with the transaction."""
    await db.execute("SELECT pg_advisory_xact_lock(hashtextextended('auth_service.signing_keys', 0))")


async def in_force(db: Database) -> list[SealedKey]:
    """Return the keys that still verify, the one to sign with first."""
    rows = await db.fetch(
        "SELECT kid, sealed, activated_at <= now() AS signs FROM signing_keys "
        "WHERE retired_at IS NULL OR retired_at > now() ORDER BY signs DESC, activated_at DESC, kid"
    )
    return [SealedKey(row["kid"], row["sealed"], row["signs"]) for row in rows]


async def pending(db: Database) -> str | None:
    """Return the kid of the key that is published and does not sign yet, if there is one."""
    kid: str | None = await db.fetchval(
        "SELECT kid FROM signing_keys WHERE activated_at > now() AND retired_at IS NULL ORDER BY activated_at LIMIT 1"
    )
    return kid


async def is_due(db: Database, age: timedelta) -> bool:
    """Return whether ``age`` has passed since the newest key began to sign."""
    return bool(await db.fetchval("SELECT max(activated_at) + $1 <= now() FROM signing_keys", age))


async def insert(db: Database, kid: str, sealed: bytes, ahead: timedelta) -> None:
    """Store a key that is published now and signs after ``ahead``."""
    await db.execute(
        "INSERT INTO signing_keys (kid, sealed, activated_at) VALUES ($1, $2, now() + $3)", kid, sealed, ahead
    )


async def retire_all_but(db: Database, kid: str, after: timedelta) -> list[str]:
    """Let all other keys verify for ``after``, and no longer than they would have; return their kids."""
    rows = await db.fetch(
        "UPDATE signing_keys SET retired_at = now() + $2 WHERE kid <> $1 "
        "AND (retired_at IS NULL OR retired_at > now() + $2) RETURNING kid",
        *(kid, after),
    )
    return [row["kid"] for row in rows]


async def retired(db: Database, kid: str) -> SealedKey | None:
    """Return a key that verifies no more and has not been deleted; None when there is none."""
    row = await db.fetchrow("SELECT kid, sealed FROM signing_keys WHERE kid = $1 AND retired_at <= now()", kid)
    return SealedKey(row["kid"], row["sealed"], signs=False) if row else None


async def delete_all_but(db: Database, kid: str) -> list[str]:
    """Delete all other keys, which have leaked; return their kids."""
    return [row["kid"] for row in await db.fetch("DELETE FROM signing_keys WHERE kid <> $1 RETURNING kid", kid)]


async def delete_retired(db: Database, after: timedelta) -> None:
    """Delete keys that retired ``after`` ago."""
    await db.execute("DELETE FROM signing_keys WHERE retired_at < now() - $1::interval", after)
