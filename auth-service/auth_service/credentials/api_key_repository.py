"""The SQL of table ``api_keys``."""

from __future__ import annotations

import uuid
from datetime import timedelta

import asyncpg

from auth_service.credentials.model import ApiKey, HeldApiKey
from auth_service.users.repository import COLUMNS as USER_COLUMNS
from auth_service.users.repository import user_of
from castor_chassis.storage.postgres import Database, affected_rows

_COLUMNS = "k.id, k.name, k.scopes, k.created_at, k.expires_at, k.last_used_at"
_IN_FORCE = "k.revoked_at IS NULL AND k.expires_at > now()"
_BATCH = 1_000


async def insert(
    db: Database, key_id: str, user_id: uuid.UUID, name: str, secret_hash: bytes, scopes: list[str], lifetime: timedelta
) -> ApiKey:
    """Store a new API key."""
    row = await db.fetchrow(
        "INSERT INTO api_keys AS k (id, user_id, name, secret_hash, scopes, expires_at) "
        f"VALUES ($1, $2, $3, $4, $5, now() + $6) RETURNING {_COLUMNS}",
        *(key_id, user_id, name, secret_hash, scopes, lifetime),
    )
    assert row is not None
    return _api_key(row)


async def session_has_ended(db: Database, session_id: uuid.UUID) -> bool:
    """Return whether a session was ended before its time."""
    sql = "SELECT EXISTS (SELECT FROM refresh_families WHERE id = $1 AND ended_at IS NOT NULL)"
    return bool(await db.fetchval(sql, session_id))


async def in_force(db: Database, user_id: uuid.UUID) -> list[ApiKey]:
    """Return the keys in force of one user, newest first."""
    rows = await db.fetch(
        f"SELECT {_COLUMNS} FROM api_keys k WHERE k.user_id = $1 AND {_IN_FORCE} ORDER BY k.created_at DESC, k.id",
        user_id,
    )
    return [_api_key(row) for row in rows]


async def by_id(db: Database, key_id: str) -> HeldApiKey | None:
    """Return a key that is in force and whose owner's account is active."""
    row = await db.fetchrow(
        f"SELECT {USER_COLUMNS}, k.id AS key_id, k.name, k.scopes, k.created_at AS key_created_at, k.expires_at, "
        "k.last_used_at, array_remove(ARRAY[k.secret_hash, CASE WHEN k.previous_until > now() "
        "THEN k.previous_hash END], NULL) AS hashes FROM api_keys k JOIN users u ON u.id = k.user_id "
        f"WHERE k.id = $1 AND {_IN_FORCE} AND u.is_active",
        key_id,
    )
    if row is None:
        return None
    times = row["key_created_at"], row["expires_at"], row["last_used_at"]
    key = ApiKey(row["key_id"], row["name"], tuple(row["scopes"]), *times)
    return HeldApiKey(key, list(row["hashes"]), user_of(row))


async def rotate(
    db: Database, key_id: str, user_id: uuid.UUID, secret_hash: bytes, lifetime: timedelta, grace: timedelta
) -> ApiKey | None:
    """Give a user's key in force another secret; the one before is valid for ``grace``. None: no such key."""
    row = await db.fetchrow(
        "UPDATE api_keys k SET previous_hash = k.secret_hash, previous_until = now() + $5, secret_hash = $3, "
        f"expires_at = now() + $4 WHERE k.id = $1 AND k.user_id = $2 AND {_IN_FORCE} RETURNING {_COLUMNS}",
        *(key_id, user_id, secret_hash, lifetime, grace),
    )
    return _api_key(row) if row else None


async def revoke(db: Database, key_id: str, user_id: uuid.UUID) -> ApiKey | None:
    """End a key; None when this user has no such key in force."""
    row = await db.fetchrow(
        f"UPDATE api_keys k SET revoked_at = now() WHERE k.id = $1 AND k.user_id = $2 AND {_IN_FORCE} "
        f"RETURNING {_COLUMNS}",
        *(key_id, user_id),
    )
    return _api_key(row) if row else None


async def revoke_all(db: Database, user_id: uuid.UUID) -> list[str]:
    """End all keys of a user; return the ids of those that were in force."""
    rows = await db.fetch(
        f"UPDATE api_keys k SET revoked_at = now() WHERE k.user_id = $1 AND {_IN_FORCE} RETURNING k.id", user_id
    )
    return [row["id"] for row in rows]


async def note_use(db: Database, key_id: str, at_most_every: timedelta) -> None:
    """Note that a key was used now, unless a use was noted within ``at_most_every``."""
    await db.execute(
        "UPDATE api_keys SET last_used_at = now() "
        "WHERE id = $1 AND (last_used_at IS NULL OR last_used_at < now() - $2::interval)",
        *(key_id, at_most_every),
    )


async def delete_ended(db: Database, kept_for: timedelta) -> None:
    """Delete the keys that expired or were revoked longer than ``kept_for`` ago, a batch at a time."""
    sql = (
        "DELETE FROM api_keys WHERE id IN "
        "(SELECT id FROM api_keys WHERE least(expires_at, revoked_at) < now() - $1::interval LIMIT $2)"
    )
    while affected_rows(await db.execute(sql, kept_for, _BATCH)) == _BATCH:
        pass


def _api_key(row: asyncpg.Record) -> ApiKey:
    times = row["created_at"], row["expires_at"], row["last_used_at"]
    return ApiKey(row["id"], row["name"], tuple(row["scopes"]), *times)
