"""The SQL of table ``browser_sessions``."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from auth_service.users.model import User
from auth_service.users.repository import COLUMNS, user_of
from castor_chassis.storage.postgres import Database


@dataclass(frozen=True, slots=True)
class BrowserSession:
    """Who logged in in a browser, how and when."""

    user: User
    amr: tuple[str, ...]
    """Of RFC 8176."""
    auth_time: datetime
    age_seconds: float


async def insert(db: Database, token_hash: bytes, user: User, amr: Sequence[str], lifetime: timedelta) -> None:
    """Store the login of ``user`` in a browser, which happens now."""
    await db.execute(
        "INSERT INTO browser_sessions (token_hash, user_id, amr, made_under, expires_at) "
        "VALUES ($1, $2, $3, $4, now() + $5)",
        *(token_hash, user.id, list(amr), user.credentials_changed_at, lifetime),
    )


async def find(db: Database, token_hash: bytes) -> BrowserSession | None:
    """Return a login that still counts: it has not expired, and the account is active and has not changed since."""
    row = await db.fetchrow(
        f"SELECT {COLUMNS}, b.amr, b.auth_time, extract(epoch FROM now() - b.auth_time)::float8 AS age_seconds "
        "FROM browser_sessions b JOIN users u ON u.id = b.user_id "
        "WHERE b.token_hash = $1 AND b.expires_at > now() AND u.is_active "
        "AND b.made_under = u.credentials_changed_at",
        token_hash,
    )
    return BrowserSession(user_of(row), tuple(row["amr"]), row["auth_time"], row["age_seconds"]) if row else None


async def delete(db: Database, token_hash: bytes, user_id: uuid.UUID) -> None:
    """Forget the login of a user in one browser."""
    await db.execute("DELETE FROM browser_sessions WHERE token_hash = $1 AND user_id = $2", token_hash, user_id)


async def delete_of_user(db: Database, user_id: uuid.UUID) -> None:
    """Forget the logins of a user in all browsers."""
    await db.execute("DELETE FROM browser_sessions WHERE user_id = $1", user_id)


async def delete_expired(db: Database) -> None:
    """Delete logins that have expired."""
    await db.execute("DELETE FROM browser_sessions WHERE expires_at < now()")
