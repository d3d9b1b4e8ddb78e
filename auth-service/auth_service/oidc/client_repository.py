"""The SQL of table ``oidc_clients``."""

from __future__ import annotations

import asyncpg

from auth_service.oidc.model import OidcClient
from castor_chassis.storage.postgres import Database

_COLUMNS = "id, name, redirect_uris, logout_uris, scopes, created_at"


def _client(row: asyncpg.Record) -> OidcClient:
    return OidcClient(
        id=row["id"],
        name=row["name"],
        redirect_uris=tuple(row["redirect_uris"]),
        logout_uris=tuple(row["logout_uris"]),
        scopes=tuple(row["scopes"]),
        created_at=row["created_at"],
    )


async def insert(db: Database, client: OidcClient) -> OidcClient:
    """Store a new client and return it with its time of creation."""
    lists = (list(values) for values in (client.redirect_uris, client.logout_uris, client.scopes))
    row = await db.fetchrow(
        "INSERT INTO oidc_clients (id, name, redirect_uris, logout_uris, scopes) "
        f"VALUES ($1, $2, $3, $4, $5) RETURNING {_COLUMNS}",
        *(client.id, client.name, *lists),
    )
    assert row is not None
    return _client(row)


async def in_force(db: Database, limit: int) -> list[OidcClient]:
    """Return the clients in force, newest first."""
    rows = await db.fetch(
        f"SELECT {_COLUMNS} FROM oidc_clients WHERE revoked_at IS NULL ORDER BY created_at DESC, id LIMIT $1", limit
    )
    return [_client(row) for row in rows]


async def by_id(db: Database, client_id: str) -> OidcClient | None:
    """Return a client in force."""
    row = await db.fetchrow(f"SELECT {_COLUMNS} FROM oidc_clients WHERE id = $1 AND revoked_at IS NULL", client_id)
    return _client(row) if row else None


async def revoke(db: Database, client_id: str) -> OidcClient | None:
    """End a client and the validity of its codes; None: no such client in force."""
    row = await db.fetchrow(
        f"UPDATE oidc_clients SET revoked_at = now() WHERE id = $1 AND revoked_at IS NULL RETURNING {_COLUMNS}",
        client_id,
    )
    await db.execute("DELETE FROM authorization_codes WHERE client_id = $1", client_id)
    return _client(row) if row else None
