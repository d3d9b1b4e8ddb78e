"""The SQL of table ``service_accounts``."""

from __future__ import annotations

import uuid
from collections.abc import Sequence

import asyncpg

from auth_service.service_accounts.model import ServiceAccount
from auth_service.users.model import User
from auth_service.users.repository import COLUMNS as USER_COLUMNS
from auth_service.users.repository import user_of
from castor_chassis.storage.postgres import Database

_COLUMNS = (
    "a.id AS account_id, a.name, a.owner_id, coalesce(a.org, u.org) AS account_org, a.scopes, "
    "a.created_at AS account_created_at, a.disabled_at, "
    "a.disabled_at IS NULL AND coalesce(u.is_active, true) AS account_is_active"
)
_FROM = "service_accounts a LEFT JOIN users u ON u.id = a.owner_id"
_WITHIN = "($1::text IS NULL OR coalesce(a.org, u.org) = $1)"


def _account(row: asyncpg.Record) -> ServiceAccount:
    return ServiceAccount(
        id=row["account_id"],
        name=row["name"],
        owner_id=row["owner_id"],
        org=row["account_org"],
        scopes=tuple(row["scopes"]),
        created_at=row["account_created_at"],
        disabled_at=row["disabled_at"],
        is_active=row["account_is_active"],
    )


async def insert(
    db: Database, account_id: str, name: str, owner_id: uuid.UUID | None, org: str | None, scopes: Sequence[str]
) -> None:
    """Store a new account of a user, or of an organisation."""
    await db.execute(
        "INSERT INTO service_accounts (id, name, owner_id, org, scopes) VALUES ($1, $2, $3, $4, $5)",
        *(account_id, name, owner_id, org, list(scopes)),
    )


async def listed(db: Database, within: str | None, limit: int) -> list[ServiceAccount]:
    """Return the accounts of an organisation (None: of all), newest first."""
    rows = await db.fetch(
        f"SELECT {_COLUMNS} FROM {_FROM} WHERE {_WITHIN} ORDER BY a.created_at DESC, a.id LIMIT $2", within, limit
    )
    return [_account(row) for row in rows]


async def count(db: Database, org: str) -> int:
    """Return how many accounts an organisation and its members have."""
    return int(await db.fetchval(f"SELECT count(*) FROM {_FROM} WHERE {_WITHIN}", org))


async def by_id(db: Database, account_id: str, within: str | None) -> ServiceAccount | None:
    """Return an account, if it belongs to ``within`` (None: any organisation)."""
    row = await db.fetchrow(f"SELECT {_COLUMNS} FROM {_FROM} WHERE {_WITHIN} AND a.id = $2", within, account_id)
    return _account(row) if row else None


async def lock(db: asyncpg.Connection, account_id: str, within: str | None) -> ServiceAccount | None:
    """``by_id``; others that lock or change the account wait until the transaction ends."""
    row = await db.fetchrow(
        f"SELECT {_COLUMNS} FROM {_FROM} WHERE {_WITHIN} AND a.id = $2 FOR UPDATE OF a", within, account_id
    )
    return _account(row) if row else None


async def lock_organisation(db: asyncpg.Connection, org: str) -> bool:
    """Make others that add accounts to an organisation wait; False: there is no such organisation."""
    return await db.fetchval("SELECT id FROM organisations WHERE id = $1 FOR NO KEY UPDATE", org) is not None


async def active_with_owner(db: Database, account_id: str) -> tuple[ServiceAccount, User | None] | None:
    """Return an account that gets tokens, and the user that it belongs to."""
    row = await db.fetchrow(
        f"SELECT {_COLUMNS}, {USER_COLUMNS} FROM {_FROM} "
        "WHERE a.id = $1 AND a.disabled_at IS NULL AND coalesce(u.is_active, true)",
        account_id,
    )
    if row is None:
        return None
    return _account(row), None if row["owner_id"] is None else user_of(row)


async def set_disabled(db: Database, account_id: str, disabled: bool) -> None:
    """Disable or enable an account."""
    sql = "UPDATE service_accounts SET disabled_at = CASE WHEN $2 THEN coalesce(disabled_at, now()) END WHERE id = $1"
    await db.execute(sql, account_id, disabled)


async def delete(db: Database, account_id: str) -> None:
    """Delete an account with its credentials."""
    await db.execute("DELETE FROM service_accounts WHERE id = $1", account_id)
