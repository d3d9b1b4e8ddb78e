"""The SQL of table ``authorization_codes``."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from datetime import datetime, timedelta

from auth_service.oidc.model import AuthorizationRequest, CollectableLogin
from auth_service.users.model import User
from castor_chassis.storage.postgres import Database


async def insert(
    db: Database,
    code_hash: bytes,
    asked: AuthorizationRequest,
    user: User,
    amr: Sequence[str],
    lifetime: timedelta,
    *,
    authenticated_at: datetime | None = None,
) -> None:
    """Store a code for a login of ``user`` by the methods ``amr``; ``authenticated_at`` None: it happens now."""
    await db.execute(
        "INSERT INTO authorization_codes (code_hash, client_id, redirect_uri, challenge, nonce, scopes, user_id, amr, "
        "made_under, expires_at, auth_time) "
        "VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, now() + $10, coalesce($11, now()))",
        *(code_hash, asked.client_id, asked.redirect_uri, asked.challenge, asked.nonce, list(asked.scopes)),
        *(user.id, list(amr), user.credentials_changed_at, lifetime, authenticated_at),
    )


async def find(db: Database, code_hash: bytes) -> CollectableLogin | None:
    """Return what a code stands for, used and expired ones included."""
    row = await db.fetchrow(
        "SELECT client_id, redirect_uri, challenge, nonce, scopes, user_id, amr, auth_time, made_under, "
        "expires_at <= now() AS expired, session_id FROM authorization_codes WHERE code_hash = $1",
        code_hash,
    )
    if row is None:
        return None
    return CollectableLogin(**{**dict(row), "scopes": tuple(row["scopes"]), "amr": tuple(row["amr"])})


async def use(db: Database, code_hash: bytes, session_id: uuid.UUID) -> None:
    """Note the session that a code was exchanged for."""
    await db.execute("UPDATE authorization_codes SET session_id = $2 WHERE code_hash = $1", code_hash, session_id)


async def delete_expired(db: Database) -> None:
    """Delete codes that expired an hour ago."""
    await db.execute("DELETE FROM authorization_codes WHERE expires_at < now() - interval '1 hour'")
