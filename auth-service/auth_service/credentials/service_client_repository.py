"""The SQL of table ``service_clients``."""

from __future__ import annotations

from datetime import timedelta

from auth_service.credentials.model import ClientSecrets, ServiceClient
from castor_chassis.storage.postgres import Database

_COLUMNS = "id, service, created_at, rotated_at, last_used_at"


async def insert(db: Database, client_id: str, service: str, secret_hash: bytes) -> ServiceClient:
    """Store a new client."""
    row = await db.fetchrow(
        f"INSERT INTO service_clients (id, service, secret_hash) VALUES ($1, $2, $3) RETURNING {_COLUMNS}",
        *(client_id, service, secret_hash),
    )
    assert row is not None
    return ServiceClient(**dict(row))


async def in_force(db: Database, limit: int) -> list[ServiceClient]:
    """Return the clients in force, newest first."""
    rows = await db.fetch(
        f"SELECT {_COLUMNS} FROM service_clients WHERE revoked_at IS NULL ORDER BY created_at DESC, id LIMIT $1", limit
    )
    return [ServiceClient(**dict(row)) for row in rows]


async def rotate(db: Database, client_id: str, secret_hash: bytes, grace: timedelta) -> ServiceClient | None:
    """Give a client in force another secret; the one before is valid for ``grace``. None: no such client."""
    row = await db.fetchrow(
        "UPDATE service_clients SET previous_hash = secret_hash, previous_until = now() + $3, secret_hash = $2, "
        f"rotated_at = now() WHERE id = $1 AND revoked_at IS NULL RETURNING {_COLUMNS}",
        *(client_id, secret_hash, grace),
    )
    return ServiceClient(**dict(row)) if row else None


async def revoke(db: Database, client_id: str) -> ServiceClient | None:
    """End a client; None: no such client in force."""
    row = await db.fetchrow(
        f"UPDATE service_clients SET revoked_at = now() WHERE id = $1 AND revoked_at IS NULL RETURNING {_COLUMNS}",
        client_id,
    )
    return ServiceClient(**dict(row)) if row else None


async def secrets(db: Database, client_id: str) -> ClientSecrets | None:
    """Return what a client in force is verified with; None: no such client."""
    row = await db.fetchrow(
        "SELECT service, array_remove(ARRAY[secret_hash, CASE WHEN previous_until > now() THEN previous_hash END], "
        "NULL) AS hashes FROM service_clients WHERE id = $1 AND revoked_at IS NULL",
        client_id,
    )
    return ClientSecrets(row["service"], list(row["hashes"])) if row else None


async def note_use(db: Database, client_id: str) -> None:
    """Note that a client got a token now."""
    await db.execute("UPDATE service_clients SET last_used_at = now() WHERE id = $1", client_id)
