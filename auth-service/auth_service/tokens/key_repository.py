"""The SQL of rotation: signing keys, API keys, secrets of service clients."""

from __future__ import annotations

import uuid
from dataclasses import dataclass
from datetime import datetime, timedelta

from auth_service.users.repository import ApiKey, AuthStore

_CLIENT = "id, service, created_at, rotated_at, last_used_at"


@dataclass(frozen=True, slots=True)
class ServiceClient:
    """A client that has a secret."""

    id: str
    service: str
    created_at: datetime
    rotated_at: datetime | None
    last_used_at: datetime | None


async def pending_signing_key(db: AuthStore) -> str | None:
    """Return the key that is published and does not sign yet, if there is one."""
    found: str | None = await db.fetchval(
        "SELECT kid FROM signing_keys WHERE activated_at > now() AND retired_at IS NULL ORDER BY activated_at LIMIT 1"
    )
    return found


async def signing_key_is_due(db: AuthStore, age: timedelta) -> bool:
    """Return whether the newest key has signed for ``age``, or will have."""
    return bool(await db.fetchval("SELECT max(activated_at) + $1 <= now() FROM signing_keys", age))


async def insert_next_signing_key(db: AuthStore, kid: str, sealed: bytes, ahead: timedelta) -> datetime:
    """Store a key that is published now and signs after ``ahead``; return from when."""
    at: datetime = await db.fetchval(
        "INSERT INTO signing_keys (kid, sealed, activated_at) VALUES ($1, $2, now() + $3) RETURNING activated_at",
        *(kid, sealed, ahead),
    )
    return at


async def retire_signing_keys(db: AuthStore, but: str, after: timedelta) -> list[str]:
    """Let all keys but one verify for ``after`` only, and no longer than they would have; return which."""
    rows = await db.fetch(
        "UPDATE signing_keys SET retired_at = now() + $2 WHERE kid <> $1 "
        "AND (retired_at IS NULL OR retired_at > now() + $2) RETURNING kid",
        *(but, after),
    )
    return [row["kid"] for row in rows]


async def delete_retired_signing_keys(db: AuthStore, after: timedelta) -> None:
    """Forget keys that have verified nothing for ``after``."""
    await db.execute("DELETE FROM signing_keys WHERE retired_at < now() - $1::interval", after)


async def rotate_api_key(
    db: AuthStore, key_id: str, user_id: uuid.UUID, secret_hash: bytes, lifetime: timedelta, grace: timedelta
) -> ApiKey | None:
    """Give a key in force another secret; the one before holds for ``grace``. None: no such key."""
    rows = await db.fetch(
        "UPDATE api_keys SET previous_hash = secret_hash, previous_until = now() + $5, secret_hash = $3, "
        "expires_at = now() + $4 WHERE id = $1 AND user_id = $2 AND revoked_at IS NULL AND expires_at > now() "
        "RETURNING id, name, scopes, created_at, expires_at, last_used_at",
        *(key_id, user_id, secret_hash, lifetime, grace),
    )
    return ApiKey(**{**dict(rows[0]), "scopes": tuple(rows[0]["scopes"])}) if rows else None


async def insert_client(db: AuthStore, client_id: str, service: str, secret_hash: bytes) -> ServiceClient:
    """Store a new client."""
    rows = await db.fetch(
        f"INSERT INTO service_clients (id, service, secret_hash) VALUES ($1, $2, $3) RETURNING {_CLIENT}",
        *(client_id, service, secret_hash),
    )
    return ServiceClient(**dict(rows[0]))


async def clients(db: AuthStore, limit: int) -> list[ServiceClient]:
    """Return the clients in force, newest first."""
    rows = await db.fetch(
        f"SELECT {_CLIENT} FROM service_clients WHERE revoked_at IS NULL ORDER BY created_at DESC, id LIMIT $1", limit
    )
    return [ServiceClient(**dict(row)) for row in rows]


async def rotate_client(db: AuthStore, client_id: str, secret_hash: bytes, grace: timedelta) -> ServiceClient | None:
    """Give a client another secret; the one before holds for ``grace``. None: no such client."""
    rows = await db.fetch(
        "UPDATE service_clients SET previous_hash = secret_hash, previous_until = now() + $3, secret_hash = $2, "
        f"rotated_at = now() WHERE id = $1 AND revoked_at IS NULL RETURNING {_CLIENT}",
        *(client_id, secret_hash, grace),
    )
    return ServiceClient(**dict(rows[0])) if rows else None


async def revoke_client(db: AuthStore, client_id: str) -> ServiceClient | None:
    """End a client; None: no such client in force."""
    rows = await db.fetch(
        f"UPDATE service_clients SET revoked_at = now() WHERE id = $1 AND revoked_at IS NULL RETURNING {_CLIENT}",
        client_id,
    )
    return ServiceClient(**dict(rows[0])) if rows else None


async def client_secrets(db: AuthStore, client_id: str) -> tuple[str, list[bytes]] | None:
    """Return the service of a client in force and the hashes of the secrets that hold."""
    rows = await db.fetch(
        "SELECT service, array_remove(ARRAY[secret_hash, CASE WHEN previous_until > now() THEN previous_hash END], "
        "NULL) AS hashes FROM service_clients WHERE id = $1 AND revoked_at IS NULL",
        client_id,
    )
    return (rows[0]["service"], list(rows[0]["hashes"])) if rows else None


async def note_client_use(db: AuthStore, client_id: str) -> None:
    """Note that a client got a token now."""
    await db.execute("UPDATE service_clients SET last_used_at = now() WHERE id = $1", client_id)
