"""The SQL of table ``refresh_tokens``."""

from __future__ import annotations

import uuid
from dataclasses import dataclass
from datetime import timedelta

import asyncpg

from auth_service.sessions.model import Authentication, ClientGrant
from auth_service.sessions.repository import grant_of
from auth_service.users.model import User
from auth_service.users.repository import COLUMNS, user_of
from castor_chassis.storage.postgres import Database


@dataclass(frozen=True, slots=True)
class HeldRefreshToken:
    """A stored refresh token; its row and its session's are locked until the transaction ends."""

    session_id: uuid.UUID
    dead: bool
    """Expired, ended, or of a closed account."""
    used_by: str | None
    """Blinded fingerprint of the client that used it; None: not used yet."""
    used_seconds_ago: float | None
    user: User
    authentication: Authentication
    grant: ClientGrant | None


async def insert(db: Database, token_hash: bytes, session_id: uuid.UUID, idle: timedelta) -> None:
    """Store a token that lives for ``idle``, but not longer than its session."""
    await db.execute(
        "INSERT INTO refresh_tokens (token_hash, family_id, expires_at) "
        "SELECT $1, id, LEAST(now() + $3, expires_at) FROM refresh_families WHERE id = $2",
        *(token_hash, session_id, idle),
    )


async def lock(db: asyncpg.Connection, token_hash: bytes) -> HeldRefreshToken | None:
    """Return a token and its user; other transactions that present a token of the same session wait."""
    row = await db.fetchrow(
        f"SELECT {COLUMNS}, t.family_id, t.used_by, f.amr, f.auth_time, f.client_id, f.scopes, "
        "extract(epoch FROM clock_timestamp() - t.used_at)::float8 AS used_seconds_ago, "
        "(f.ended_at IS NOT NULL OR LEAST(t.expires_at, f.expires_at) <= now() OR NOT u.is_active) AS dead "
        "FROM refresh_tokens t JOIN refresh_families f ON f.id = t.family_id JOIN users u ON u.id = f.user_id "
        "WHERE t.token_hash = $1 FOR UPDATE OF t, f",
        token_hash,
    )
    if row is None:
        return None
    authentication = Authentication(tuple(row["amr"]), row["auth_time"])
    used = row["used_by"], row["used_seconds_ago"]
    return HeldRefreshToken(row["family_id"], row["dead"], *used, user_of(row), authentication, grant_of(row))


async def use(db: Database, token_hash: bytes, used_by: str) -> None:
    """Mark a token as used."""
    await db.execute(
        "UPDATE refresh_tokens SET used_at = clock_timestamp(), used_by = $2 WHERE token_hash = $1",
        *(token_hash, used_by),
    )
