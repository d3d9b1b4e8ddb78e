"""The SQL of accounts as their owners and administrators change them."""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import asyncpg

from auth_service.users.repository import PROFILE, USER_COLUMNS, AuthStore, User, user_of


@dataclass(frozen=True, slots=True)
class Pending:
    """A registration whose address is not yet proved."""

    email: str
    password_hash: str
    roles: list[str]
    profile: dict[str, Any]


@dataclass(frozen=True, slots=True)
class Search:
    """Which accounts an administrator wants to see; None: whatever."""

    text: str | None = None
    role: str | None = None
    active: bool | None = None
    before: tuple[datetime, uuid.UUID] | None = None


async def insert_pending(db: AuthStore, token_hash: bytes, pending: Pending, lifetime: timedelta) -> None:
    """Store a registration until its token is shown."""
    await db.execute(
        "INSERT INTO pending_registrations (token_hash, email, password_hash, roles, profile, expires_at) "
        "VALUES ($1, $2, $3, $4, $5, now() + $6)",
        *(token_hash, pending.email, pending.password_hash, pending.roles, pending.profile, lifetime),
    )


async def pending(db: AuthStore, token_hash: bytes) -> Pending | None:
    """Return the registration that waits for this token."""
    row = await db.fetchrow(
        "SELECT email, password_hash, roles, profile FROM pending_registrations "
        "WHERE token_hash = $1 AND expires_at > now()",
        token_hash,
    )
    return row and Pending(**dict(row))


async def take_pending(db: AuthStore, token_hash: bytes, email: str) -> bool:
    """Use up a registration, and with it all others of the address; False when it was used before."""
    row = await db.fetchrow("DELETE FROM pending_registrations WHERE token_hash = $1 RETURNING true", token_hash)
    await db.execute("DELETE FROM pending_registrations WHERE email = $1", email)
    return row is not None


async def put_token(
    db: AuthStore, token_hash: bytes, purpose: str, user_id: uuid.UUID, email: str, lifetime: timedelta
) -> None:
    """Store a one-time token; an earlier one for the same purpose is void."""
    await db.execute(
        "INSERT INTO one_time_tokens (token_hash, purpose, user_id, email, expires_at) "
        "VALUES ($1, $2, $3, $4, now() + $5) ON CONFLICT (user_id, purpose) DO UPDATE "
        "SET token_hash = excluded.token_hash, email = excluded.email, expires_at = excluded.expires_at",
        *(token_hash, purpose, user_id, email, lifetime),
    )


async def token_owner(db: AuthStore, token_hash: bytes, purpose: str) -> tuple[User, str] | None:
    """Return the active account of a one-time token that holds, and the address that it is about."""
    row = await db.fetchrow(
        f"SELECT {USER_COLUMNS}, t.email AS about FROM one_time_tokens t JOIN users u ON u.id = t.user_id "
        "WHERE t.token_hash = $1 AND t.purpose = $2 AND t.expires_at > now() AND u.is_active",
        *(token_hash, purpose),
    )
    return row and (user_of(row), row["about"])


async def take_token(db: AuthStore, token_hash: bytes) -> bool:
    """Use up a one-time token; False when it was used before."""
    row = await db.fetchrow("DELETE FROM one_time_tokens WHERE token_hash = $1 RETURNING true", token_hash)
    return row is not None


async def set_password(db: AuthStore, user_id: uuid.UUID, password_hash: str) -> None:
    """Store another password; tokens that were to set one are void."""
    await db.execute("UPDATE users SET password_hash = $2, updated_at = now() WHERE id = $1", user_id, password_hash)
    await db.execute("DELETE FROM one_time_tokens WHERE user_id = $1 AND purpose = 'password_reset'", user_id)


async def set_email(db: AuthStore, user_id: uuid.UUID, email: str) -> bool:
    """Store another, proved address; False when another account has it."""
    try:
        async with db.savepoint():
            await db.execute(
                "UPDATE users SET email = $2, email_verified_at = now(), updated_at = now() WHERE id = $1",
                *(user_id, email),
            )
    except asyncpg.UniqueViolationError:
        return False
    return True


async def update_profile(db: AuthStore, user_id: uuid.UUID, changes: Mapping[str, Any]) -> User | None:
    """Store the fields of ``changes``, whose names are those of ``PROFILE``; None for an unknown user."""
    names = [name for name in PROFILE if name in changes]
    assignments = "".join(f"{name} = ${place}, " for place, name in enumerate(names, start=2))
    row = await db.fetchrow(
        f"UPDATE users u SET {assignments}updated_at = now() WHERE u.id = $1 RETURNING {USER_COLUMNS}",
        *(user_id, *(changes[name] for name in names)),
    )
    return row and user_of(row)


async def set_active(db: AuthStore, user_id: uuid.UUID, active: bool, reason: str | None = None) -> User | None:
    """Open or close an account; None for an unknown user."""
    row = await db.fetchrow(
        "UPDATE users u SET is_active = $2, closed_reason = $3, updated_at = now() WHERE u.id = $1 "
        f"RETURNING {USER_COLUMNS}",
        *(user_id, active, reason),
    )
    return row and user_of(row)


async def set_roles(db: AuthStore, user_id: uuid.UUID, roles: list[str]) -> User | None:
    """Give an account other roles; None for an unknown user."""
    row = await db.fetchrow(
        f"UPDATE users u SET roles = $2, updated_at = now() WHERE u.id = $1 RETURNING {USER_COLUMNS}",
        *(user_id, roles),
    )
    return row and user_of(row)


async def delete_user(db: AuthStore, user_id: uuid.UUID) -> bool:
    """Erase an account with everything that belongs to it; its audit events name an id that nobody has any more."""
    row = await db.fetchrow("DELETE FROM users WHERE id = $1 RETURNING email", user_id)
    if row is not None:
        await db.execute("DELETE FROM pending_registrations WHERE email = $1", row["email"])
    return row is not None


async def other_administrators(db: AuthStore, user_id: uuid.UUID) -> bool:
    """Return whether somebody else is an active administrator; others who ask wait until the transaction ends."""
    await db.execute("SELECT pg_advisory_xact_lock(hashtextextended('auth_service.administrators', 0))")
    return bool(
        await db.fetchval(
            "SELECT EXISTS (SELECT FROM users WHERE 'admin' = ANY (roles) AND is_active AND id <> $1)", user_id
        )
    )


async def search(db: AuthStore, wanted: Search, limit: int) -> list[User]:
    """Return accounts, newest first; ``wanted.text`` is part of the address or a name."""
    text = None if wanted.text is None else f"%{_literal(wanted.text)}%"
    created_at, user_id = wanted.before or (None, None)
    rows = await db.fetch(
        f"SELECT {USER_COLUMNS} FROM users u WHERE ($1::text IS NULL OR u.email ILIKE $1 "
        "OR concat_ws(' ', u.first_name, u.last_name) ILIKE $1) AND ($2::text IS NULL OR $2 = ANY (u.roles)) "
        "AND ($3::boolean IS NULL OR u.is_active = $3) "
        "AND ($4::timestamptz IS NULL OR (u.created_at, u.id) < ($4, $5::uuid)) "
        "ORDER BY u.created_at DESC, u.id DESC LIMIT $6",
        *(text, wanted.role, wanted.active, created_at, user_id, limit),
    )
    return [user_of(row) for row in rows]


def _literal(text: str) -> str:
    return text.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")


async def delete_expired(db: AuthStore) -> None:
    """Forget registrations and one-time tokens that are over."""
    await db.execute("DELETE FROM pending_registrations WHERE expires_at < now()")
    await db.execute("DELETE FROM one_time_tokens WHERE expires_at < now()")
