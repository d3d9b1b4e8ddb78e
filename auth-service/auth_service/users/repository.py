"""The SQL of table ``users``."""

from __future__ import annotations

import uuid
from collections.abc import Iterable, Mapping
from dataclasses import astuple

import asyncpg

from auth_service.users.model import PROFILE_FIELDS, Profile, User, UserSearch
from castor_chassis.storage.postgres import Database

COLUMNS = (
    "u.id, u.email, u.password_hash, u.roles, u.org, u.is_active, u.created_at, u.updated_at, u.email_verified_at, "
    "u.credentials_changed_at, "
    "u.closed_reason, u.totp_confirmed_at IS NOT NULL AS mfa_enabled, "
    "u.totp_confirmed_at IS NOT NULL OR EXISTS (SELECT FROM passkeys p WHERE p.user_id = u.id) AS has_second_factor, "
    + ", ".join(f"u.{n}" for n in PROFILE_FIELDS)
)
"""What ``user_of`` reads, of a table ``users u``."""
CHANGED = (
    "credentials_changed_at = clock_timestamp(), "
    "totp_sealed = CASE WHEN totp_confirmed_at IS NOT NULL THEN totp_sealed END"
)
"""Assignments of every change of password, address, roles or state; a TOTP key that is not confirmed is void then."""


def user_of(row: asyncpg.Record) -> User:
    """Return the account in a row that has ``COLUMNS``."""
    return User(**{name: row[name] for name in User.__slots__ if name != "roles"}, roles=tuple(row["roles"]))


async def insert(
    db: Database, email: str, password_hash: str, roles: Iterable[str], profile: Profile, *, verified: bool = False
) -> User | None:
    """Store a new account; None when the address is taken."""
    row = await db.fetchrow(
        f"INSERT INTO users AS u (id, email, password_hash, roles, email_verified_at, {', '.join(PROFILE_FIELDS)}) "
        "VALUES ($1, $2, $3, $4, CASE WHEN $5 THEN now() END, $6, $7, $8, $9, $10, $11, $12) "
        f"ON CONFLICT (email) DO NOTHING RETURNING {COLUMNS}",
        *(uuid.uuid4(), email, password_hash, list(roles), verified, *astuple(profile)),
    )
    return user_of(row) if row else None


async def by_email(db: Database, email: str) -> User | None:
    """Return the account of a normalised address."""
    row = await db.fetchrow(f"SELECT {COLUMNS} FROM users u WHERE u.email = $1", email)
    return user_of(row) if row else None


async def by_id(db: Database, user_id: uuid.UUID, *, within: str | None = None) -> User | None:
    """Return an account, if it belongs to ``within`` (None: any organisation)."""
    row = await db.fetchrow(
        f"SELECT {COLUMNS} FROM users u WHERE u.id = $1 AND ($2::text IS NULL OR u.org = $2)", user_id, within
    )
    return user_of(row) if row else None


async def search(db: Database, wanted: UserSearch, limit: int) -> list[User]:
    """Return accounts, newest first."""
    text = None if wanted.text is None else f"%{_escaped(wanted.text)}%"
    created_at, user_id = wanted.before or (None, None)
    rows = await db.fetch(
        f"SELECT {COLUMNS} FROM users u WHERE ($1::text IS NULL OR u.email ILIKE $1 "
        "OR concat_ws(' ', u.first_name, u.last_name) ILIKE $1) AND ($2::text IS NULL OR $2 = ANY (u.roles)) "
        "AND ($3::boolean IS NULL OR u.is_active = $3) "
        "AND ($4::timestamptz IS NULL OR (u.created_at, u.id) < ($4, $5::uuid)) "
        "AND ($7::text IS NULL OR u.org = $7) "
        "AND ($8::timestamptz IS NULL OR u.created_at >= $8) AND ($9::timestamptz IS NULL OR u.created_at < $9) "
        "ORDER BY u.created_at DESC, u.id DESC LIMIT $6",
        *(text, wanted.role, wanted.active, created_at, user_id, limit, wanted.org, *wanted.made),
    )
    return [user_of(row) for row in rows]


def _escaped(text: str) -> str:
    return text.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")


async def lock(db: asyncpg.Connection, user_id: uuid.UUID, *, within: str | None = None) -> User | None:
    """Return an account as it is now; others that lock or change it wait until the transaction ends.

    ``within`` is the only organisation in which it is looked for; None: any.
    """
    row = await db.fetchrow(
        f"SELECT {COLUMNS} FROM users u WHERE u.id = $1 AND ($2::text IS NULL OR u.org = $2) FOR UPDATE",
        *(user_id, within),
    )
    return user_of(row) if row else None


async def replace_hash(db: Database, user_id: uuid.UUID, old_hash: str, new_hash: str) -> None:
    """Store another hash of the same password, unless the password was changed meanwhile."""
    await db.execute(
        "UPDATE users SET password_hash = $3 WHERE id = $1 AND password_hash = $2", user_id, old_hash, new_hash
    )


async def set_password(db: Database, user_id: uuid.UUID, password_hash: str) -> None:
    """Store the hash of another password."""
    await db.execute(
        f"UPDATE users SET password_hash = $2, updated_at = now(), {CHANGED} WHERE id = $1", user_id, password_hash
    )


async def set_email(db: asyncpg.Connection, user_id: uuid.UUID, email: str) -> bool:
    """Store another, verified address; False when another account has it."""
    try:
        async with db.transaction():
            await db.execute(
                f"UPDATE users SET email = $2, email_verified_at = now(), updated_at = now(), {CHANGED} WHERE id = $1",
                *(user_id, email),
            )
    except asyncpg.UniqueViolationError:
        return False
    return True


async def set_profile(db: Database, user_id: uuid.UUID, changes: Mapping[str, str | bool | None]) -> User | None:
    """Store some of ``PROFILE_FIELDS``; other names are ignored. None for an unknown user."""
    names = [name for name in PROFILE_FIELDS if name in changes]
    assignments = "".join(f"{name} = ${place}, " for place, name in enumerate(names, start=2))
    row = await db.fetchrow(
        f"UPDATE users u SET {assignments}updated_at = now() WHERE u.id = $1 RETURNING {COLUMNS}",
        *(user_id, *(changes[name] for name in names)),
    )
    return user_of(row) if row else None


async def set_active(db: Database, user_id: uuid.UUID, active: bool, reason: str | None = None) -> User | None:
    """Open or close an account; None for an unknown user."""
    row = await db.fetchrow(
        f"UPDATE users u SET is_active = $2, closed_reason = $3, updated_at = now(), {CHANGED} WHERE u.id = $1 "
        f"RETURNING {COLUMNS}",
        *(user_id, active, reason),
    )
    return user_of(row) if row else None


async def set_roles(db: Database, user_id: uuid.UUID, roles: list[str]) -> User | None:
    """Give an account other roles; None for an unknown user."""
    row = await db.fetchrow(
        f"UPDATE users u SET roles = $2, updated_at = now(), {CHANGED} WHERE u.id = $1 RETURNING {COLUMNS}",
        *(user_id, roles),
    )
    return user_of(row) if row else None


async def delete(db: Database, user_id: uuid.UUID) -> str | None:
    """Delete an account with everything that references it; return its address, or None for an unknown user."""
    email: str | None = await db.fetchval("DELETE FROM users WHERE id = $1 RETURNING email", user_id)
    return email


async def lock_administrators(db: asyncpg.Connection) -> None:
    """Make other transactions that take this lock wait until this one ends."""
    await db.execute("SELECT pg_advisory_xact_lock(hashtextextended('auth_service.administrators', 0))")


async def administrator_was_made(db: Database) -> bool:
    """Return whether there is or ever was an administrator; a trigger of the database records it."""
    return bool(await db.fetchval("SELECT EXISTS (SELECT FROM administrator_made)"))


async def other_administrators(db: asyncpg.Connection, user_id: uuid.UUID) -> bool:
    """Return whether somebody else is an active administrator of the default organisation, who manages all.

    Other transactions that ask wait until this one ends, so that two administrators cannot leave at the same time.
    """
    await lock_administrators(db)
    return bool(
        await db.fetchval(
            "SELECT EXISTS (SELECT FROM users WHERE 'admin' = ANY (roles) AND is_active AND id <> $1 "
            "AND org = 'default')",
            user_id,
        )
    )
