"""The SQL of table ``one_time_tokens``: tokens that are mailed to an address."""

from __future__ import annotations

import uuid
from dataclasses import dataclass
from datetime import timedelta
from typing import Literal

from auth_service.users.model import User
from auth_service.users.repository import COLUMNS, user_of
from castor_chassis.storage.postgres import Database, affected_rows

Purpose = Literal["password_reset", "email_change"]


@dataclass(frozen=True, slots=True)
class HeldToken:
    """A one-time token in force."""

    user: User
    email: str
    """The address that it was sent to."""


async def put(
    db: Database, token_hash: bytes, purpose: Purpose, user_id: uuid.UUID, email: str, lifetime: timedelta
) -> None:
    """Store a token in place of an earlier one for the same account and purpose."""
    await db.execute(
        "INSERT INTO one_time_tokens (token_hash, purpose, user_id, email, expires_at) "
        "VALUES ($1, $2, $3, $4, now() + $5) ON CONFLICT (user_id, purpose) DO UPDATE "
        "SET token_hash = excluded.token_hash, email = excluded.email, expires_at = excluded.expires_at",
        *(token_hash, purpose, user_id, email, lifetime),
    )


async def by_hash(db: Database, token_hash: bytes, purpose: Purpose) -> HeldToken | None:
    """Return a token that has not expired and whose account is active."""
    row = await db.fetchrow(
        f"SELECT {COLUMNS}, t.email AS sent_to FROM one_time_tokens t JOIN users u ON u.id = t.user_id "
        "WHERE t.token_hash = $1 AND t.purpose = $2 AND t.expires_at > now() AND u.is_active",
        *(token_hash, purpose),
    )
    return HeldToken(user_of(row), row["sent_to"]) if row else None


async def take(db: Database, token_hash: bytes) -> bool:
    """Delete a token; False when it was taken before."""
    return affected_rows(await db.execute("DELETE FROM one_time_tokens WHERE token_hash = $1", token_hash)) == 1


async def delete_of(db: Database, user_id: uuid.UUID, purpose: Purpose) -> None:
    """Delete an account's token for a purpose, if there is one."""
    await db.execute("DELETE FROM one_time_tokens WHERE user_id = $1 AND purpose = $2", user_id, purpose)


async def delete_expired(db: Database) -> None:
    """Delete tokens that were not used in time."""
    await db.execute("DELETE FROM one_time_tokens WHERE expires_at < now()")
