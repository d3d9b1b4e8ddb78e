"""The SQL of auth-service."""

from __future__ import annotations

import uuid
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import asyncpg

from castor_chassis import Postgres

PROFILE = (
    "first_name", "last_name", "phone", "campaign_role", "candidate_position", "whatsapp_number", "whatsapp_opt_in",
)  # fmt: skip
"""What people say about themselves."""
USER_COLUMNS = (
    "u.id, u.email, u.password_hash, u.roles, u.is_active, u.created_at, u.updated_at, u.email_verified_at, "
    "u.closed_reason, u.totp_confirmed_at IS NOT NULL AS mfa_enabled, " + ", ".join(f"u.{name}" for name in PROFILE)
)
_API_KEY = "k.id, k.name, k.scopes, k.created_at, k.expires_at, k.last_used_at"
_IN_FORCE = "k.revoked_at IS NULL AND k.expires_at > now()"


@dataclass(frozen=True, slots=True)
class User:
    """An account."""

    id: uuid.UUID
    email: str
    password_hash: str
    first_name: str | None
    last_name: str | None
    phone: str | None
    campaign_role: str | None
    candidate_position: str | None
    whatsapp_number: str | None
    whatsapp_opt_in: bool
    roles: tuple[str, ...]
    is_active: bool
    closed_reason: str | None
    mfa_enabled: bool
    email_verified_at: datetime | None
    created_at: datetime
    updated_at: datetime


@dataclass(frozen=True, slots=True)
class HeldRefreshToken:
    """A stored refresh token, its row and its family's locked until the transaction ends."""

    family_id: uuid.UUID
    dead: bool
    """Expired, ended, or of a closed account."""
    used_by: str | None
    used_seconds_ago: float | None
    user: User


@dataclass(frozen=True, slots=True)
class SealedKey:
    """A signing key as it is stored."""

    kid: str
    sealed: bytes
    signs: bool
    """Whether its time to sign has come."""


@dataclass(frozen=True, slots=True)
class ApiKey:
    """An API key as its owner sees it."""

    id: str
    name: str
    scopes: tuple[str, ...]
    created_at: datetime
    expires_at: datetime
    last_used_at: datetime | None


class AuthStore:
    """Statements on the pool, or, inside ``transaction()``, on one connection."""

    def __init__(self, postgres: Postgres, connection: asyncpg.Connection | None = None) -> None:
        self._postgres = postgres
        self._db: Any = connection or postgres

    @asynccontextmanager
    async def transaction(self) -> AsyncIterator[AuthStore]:
        """Give a store whose statements are committed together at the end, or not at all."""
        async with self._postgres.transaction() as connection:
            yield AuthStore(self._postgres, connection)

    async def fetch(self, sql: str, *values: Any) -> list[asyncpg.Record]:
        """Run a query of another store module."""
        rows: list[asyncpg.Record] = await self._db.fetch(sql, *values)
        return rows

    async def fetchval(self, sql: str, *values: Any) -> Any:
        """Run a query of another store module that gives one value."""
        return await self._db.fetchval(sql, *values)

    async def execute(self, sql: str, *values: Any) -> Any:
        """Run a statement of another store module."""
        return await self._db.execute(sql, *values)

    async def fetchrow(self, sql: str, *values: Any) -> Any:
        """Run a query of another store module that gives one row or none."""
        return await self._db.fetchrow(sql, *values)

    @asynccontextmanager
    async def savepoint(self) -> AsyncIterator[None]:
        """Undo only what happens inside when it fails; inside ``transaction()`` alone."""
        async with self._db.transaction():
            yield

    async def insert_user(
        self, email: str, password_hash: str, roles: Iterable[str], *, verified: bool = False, **profile: Any
    ) -> User | None:
        """Store a new account with some of ``PROFILE``; None when the address is taken."""
        row = await self._db.fetchrow(
            f"INSERT INTO users AS u (id, email, password_hash, roles, email_verified_at, {', '.join(PROFILE)}) "
            "VALUES ($1, $2, $3, $4, CASE WHEN $5 THEN now() END, $6, $7, $8, $9, $10, $11, coalesce($12, false)) "
            f"ON CONFLICT (email) DO NOTHING RETURNING {USER_COLUMNS}",
            *(uuid.uuid4(), email, password_hash, list(roles), verified, *(profile.get(name) for name in PROFILE)),
        )
        return row and user_of(row)

    async def user_by_email(self, email: str) -> User | None:
        """Return the account of a normalised address."""
        row = await self._db.fetchrow(f"SELECT {USER_COLUMNS} FROM users u WHERE u.email = $1", email)
        return row and user_of(row)

    async def user(self, user_id: uuid.UUID) -> User | None:
        """Return an account."""
        row = await self._db.fetchrow(f"SELECT {USER_COLUMNS} FROM users u WHERE u.id = $1", user_id)
        return row and user_of(row)

    async def replace_password(self, user_id: uuid.UUID, old_hash: str, new_hash: str) -> None:
        """Store another hash of the same password, unless the password was changed meanwhile."""
        await self._db.execute(
            "UPDATE users SET password_hash = $3 WHERE id = $1 AND password_hash = $2", user_id, old_hash, new_hash
        )

    async def insert_family(self, user_id: uuid.UUID, lifetime: timedelta, user_agent: str = "") -> uuid.UUID:
        """Begin a session and return the id of its family."""
        family_id = uuid.uuid4()
        await self._db.execute(
            "INSERT INTO refresh_families (id, user_id, expires_at, user_agent) VALUES ($1, $2, now() + $3, $4)",
            *(family_id, user_id, lifetime, user_agent),
        )
        return family_id

    async def insert_refresh_token(self, token_hash: bytes, family_id: uuid.UUID, idle: timedelta) -> None:
        """Store a token that lives for ``idle``, but not longer than its family."""
        await self._db.execute(
            "INSERT INTO refresh_tokens (token_hash, family_id, expires_at) "
            "SELECT $1, id, LEAST(now() + $3, expires_at) FROM refresh_families WHERE id = $2",
            *(token_hash, family_id, idle),
        )

    async def lock_refresh_token(self, token_hash: bytes) -> HeldRefreshToken | None:
        """Return a token and its user; others who present a token of the same family wait."""
        row = await self._db.fetchrow(
            f"SELECT {USER_COLUMNS}, t.family_id, t.used_by, "
            "extract(epoch FROM clock_timestamp() - t.used_at)::float8 AS used_seconds_ago, "
            "(f.ended_at IS NOT NULL OR LEAST(t.expires_at, f.expires_at) <= now() OR NOT u.is_active) AS dead "
            "FROM refresh_tokens t JOIN refresh_families f ON f.id = t.family_id JOIN users u ON u.id = f.user_id "
            "WHERE t.token_hash = $1 FOR UPDATE OF t, f",
            token_hash,
        )
        if row is None:
            return None
        return HeldRefreshToken(row["family_id"], row["dead"], row["used_by"], row["used_seconds_ago"], user_of(row))

    async def use_refresh_token(self, token_hash: bytes, family_id: uuid.UUID, used_by: str) -> None:
        """Mark a token as used."""
        await self._db.execute(
            "UPDATE refresh_tokens SET used_at = clock_timestamp(), used_by = $2 WHERE token_hash = $1",
            *(token_hash, used_by),
        )
        await self._db.execute("UPDATE refresh_families SET last_used_at = now() WHERE id = $1", family_id)

    async def end_family(self, family_id: uuid.UUID, reason: str) -> bool:
        """End a session; False when it had ended before."""
        tag = await self._db.execute(
            "UPDATE refresh_families SET ended_at = now(), end_reason = $2 WHERE id = $1 AND ended_at IS NULL",
            *(family_id, reason),
        )
        return str(tag) == "UPDATE 1"

    async def delete_expired_families(self, batch: int) -> int:
        """Forget sessions, with their tokens, a week after their end of life; return how many."""
        tag = await self._db.execute(
            "DELETE FROM refresh_families WHERE id IN "
            "(SELECT id FROM refresh_families WHERE expires_at < now() - interval '7 days' LIMIT $1)",
            batch,
        )
        return int(str(tag).split()[1])

    async def lock_signing_keys(self) -> None:
        """Wait until no other replica is making a signing key; released with the transaction."""
        await self._db.execute("SELECT pg_advisory_xact_lock(hashtextextended('auth_service.signing_keys', 0))")

    async def signing_keys(self) -> list[SealedKey]:
        """Return the keys that still verify, the one to sign with first."""
        rows = await self._db.fetch(
            "SELECT kid, sealed, activated_at <= now() AS signs FROM signing_keys "
            "WHERE retired_at IS NULL OR retired_at > now() ORDER BY signs DESC, activated_at DESC, kid"
        )
        return [SealedKey(row["kid"], row["sealed"], row["signs"]) for row in rows]

    async def insert_signing_key(self, kid: str, sealed: bytes) -> None:
        """Store a key that signs from now on."""
        await self._db.execute(
            "INSERT INTO signing_keys (kid, sealed, activated_at) VALUES ($1, $2, now())", kid, sealed
        )

    async def lock_user(self, user_id: uuid.UUID) -> None:
        """Make others who change this account's belongings wait."""
        await self._db.execute("SELECT 1 FROM users WHERE id = $1 FOR UPDATE", user_id)

    async def insert_api_key(
        self, key_id: str, user_id: uuid.UUID, name: str, secret_hash: bytes, scopes: list[str], lifetime: timedelta
    ) -> ApiKey:
        """Store a new API key."""
        row = await self._db.fetchrow(
            "INSERT INTO api_keys AS k (id, user_id, name, secret_hash, scopes, expires_at) "
            f"VALUES ($1, $2, $3, $4, $5, now() + $6) RETURNING {_API_KEY}",
            *(key_id, user_id, name, secret_hash, scopes, lifetime),
        )
        return _api_key(row)

    async def api_keys(self, user_id: uuid.UUID) -> list[ApiKey]:
        """Return the keys in force of one user, newest first."""
        rows = await self._db.fetch(
            f"SELECT {_API_KEY} FROM api_keys k WHERE k.user_id = $1 AND {_IN_FORCE} ORDER BY k.created_at DESC, k.id",
            user_id,
        )
        return [_api_key(row) for row in rows]

    async def revoke_api_key(self, key_id: str, user_id: uuid.UUID) -> ApiKey | None:
        """End a key; None when this user has no such key in force."""
        row = await self._db.fetchrow(
            f"UPDATE api_keys k SET revoked_at = now() WHERE k.id = $1 AND k.user_id = $2 AND {_IN_FORCE} "
            f"RETURNING {_API_KEY}",
            *(key_id, user_id),
        )
        return row and _api_key(row)

    async def api_key_owner(self, key_id: str) -> tuple[list[bytes], ApiKey, User] | None:
        """Return the hashes of the secrets that hold, the key and its owner, if both are in force."""
        row = await self._db.fetchrow(
            f"SELECT {USER_COLUMNS}, k.id AS key_id, k.name, k.scopes, k.created_at AS key_created_at, k.expires_at, "
            "k.last_used_at, array_remove(ARRAY[k.secret_hash, CASE WHEN k.previous_until > now() "
            "THEN k.previous_hash END], NULL) AS hashes FROM api_keys k JOIN users u ON u.id = k.user_id "
            f"WHERE k.id = $1 AND {_IN_FORCE} AND u.is_active",
            key_id,
        )
        if row is None:
            return None
        times = row["key_created_at"], row["expires_at"], row["last_used_at"]
        return list(row["hashes"]), ApiKey(row["key_id"], row["name"], tuple(row["scopes"]), *times), user_of(row)

    async def note_api_key_use(self, key_id: str, at_most_every: timedelta) -> None:
        """Note that a key was used now, unless that was noted a moment ago."""
        await self._db.execute(
            "UPDATE api_keys SET last_used_at = now() "
            "WHERE id = $1 AND (last_used_at IS NULL OR last_used_at < now() - $2::interval)",
            *(key_id, at_most_every),
        )

    async def insert_audit_event(
        self, event: str, subject: str | None, address_hash: str | None, request_id: str | None, details: dict[str, Any]
    ) -> None:
        """Append one security event."""
        await self._db.execute(
            "INSERT INTO audit_events (event, subject, address_hash, request_id, details) VALUES ($1, $2, $3, $4, $5)",
            *(event, subject, address_hash, request_id, details),
        )


def user_of(row: asyncpg.Record) -> User:
    """Return the account in a row that has ``USER_COLUMNS``."""
    return User(**{name: row[name] for name in User.__slots__ if name != "roles"}, roles=tuple(row["roles"]))


def _api_key(row: asyncpg.Record) -> ApiKey:
    times = row["created_at"], row["expires_at"], row["last_used_at"]
    return ApiKey(row["id"], row["name"], tuple(row["scopes"]), *times)
