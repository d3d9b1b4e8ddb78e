"""The SQL of table ``one_time_tokens``: tokens that are mailed to an address."""

from __future__ import annotations

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


async def put(db: Database, token_hash: bytes, purpose: Purpose, user: User, email: str, lifetime: timedelta) -> None:
    """Store a token in place of an earlier one for the same account and purpose.

    It is valid as long as the account has the credentials that ``user`` was read with.
    """
    await db.execute(
        "INSERT INTO one_time_tokens (token_hash, purpose, user_id, email, made_under, expires_at) "
        "VALUES ($1, $2, $3, $4, $5, now() + $6) ON CONFLICT (user_id, purpose) DO UPDATE SET "
        "token_hash = excluded.token_hash, email = excluded.email, made_under = excluded.made_under, "
        "expires_at = excluded.expires_at",
        *(token_hash, purpose, user.id, email, user.credentials_changed_at, lifetime),
    )


async def by_hash(db: Database, token_hash: bytes, purpose: Purpose) -> HeldToken | None:
    """Return a token that has not expired, of an active account whose credentials have not changed since."""
    row = await db.fetchrow(
        f"SELECT {COLUMNS}, t.email AS sent_to FROM one_time_tokens t JOIN users u ON u.id = t.user_id "
        "WHERE t.token_hash = $1 AND t.purpose = $2 AND t.expires_at > now() AND u.is_active "
        "AND t.made_under = u.credentials_changed_at",
        *(token_hash, purpose),
    )
    return HeldToken(user_of(row), row["sent_to"]) if row else None


async def take(db: Database, token_hash: bytes) -> bool:
    """Delete a token; False when it was taken before."""
    return affected_rows(await db.execute("DELETE FROM one_time_tokens WHERE token_hash = $1", token_hash)) == 1


async def delete_expired(db: Database) -> None:
    """Delete tokens that were not used in time."""
    await db.execute("DELETE FROM one_time_tokens WHERE expires_at < now()")
