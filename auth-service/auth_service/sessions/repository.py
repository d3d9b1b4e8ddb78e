"""The SQL of table ``refresh_families``: one row is one session."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from datetime import datetime, timedelta

import asyncpg

from auth_service.sessions.model import Authentication, ClientGrant, Session
from castor_chassis.storage.postgres import Database, affected_rows


async def insert(
    db: Database,
    user_id: uuid.UUID,
    lifetime: timedelta,
    user_agent: str,
    methods: Sequence[str],
    *,
    authenticated_at: datetime | None = None,
    grant: ClientGrant | None = None,
) -> tuple[uuid.UUID, Authentication]:
    """Begin a session that ends after ``lifetime``; return its id. ``authenticated_at`` None: now."""
    session_id = uuid.uuid4()
    client_id, scopes = (grant.client_id, list(grant.scopes)) if grant else (None, None)
    at = await db.fetchval(
        "INSERT INTO refresh_families (id, user_id, expires_at, user_agent, amr, auth_time, client_id, scopes) "
        "VALUES ($1, $2, now() + $3, $4, $5, coalesce($6, now()), $7, $8) RETURNING auth_time",
        *(session_id, user_id, lifetime, user_agent, list(methods), authenticated_at, client_id, scopes),
    )
    return session_id, Authentication(tuple(methods), at)


async def strengthen(
    db: Database, user_id: uuid.UUID, session_id: uuid.UUID, methods: Sequence[str]
) -> tuple[Authentication, ClientGrant | None] | None:
    """Note that the user of a session in force was authenticated now by ``methods`` as well; None: no such session."""
    row = await db.fetchrow(
        "UPDATE refresh_families SET amr = (SELECT array_agg(DISTINCT m) FROM unnest(amr || $3::text[]) m), "
        "auth_time = now() WHERE id = $2 AND user_id = $1 AND ended_at IS NULL AND expires_at > now() "
        "RETURNING amr, auth_time, client_id, scopes",
        *(user_id, session_id, list(methods)),
    )
    return (Authentication(tuple(row["amr"]), row["auth_time"]), grant_of(row)) if row else None


def grant_of(row: asyncpg.Record) -> ClientGrant | None:
    """Return the grant in a row with ``client_id`` and ``scopes``; None for a session without a client."""
    return ClientGrant(row["client_id"], tuple(row["scopes"])) if row["client_id"] is not None else None


async def in_force(db: Database, user_id: uuid.UUID, limit: int) -> list[Session]:
    """Return a user's sessions in force, the last used first."""
    rows = await db.fetch(
        "SELECT f.id, f.created_at, f.last_used_at, f.expires_at, f.user_agent FROM refresh_families f "
        "WHERE f.user_id = $1 AND f.ended_at IS NULL AND f.expires_at > now() "
        "AND EXISTS (SELECT FROM refresh_tokens t WHERE t.family_id = f.id AND t.used_at IS NULL "
        "AND t.expires_at > now()) ORDER BY f.last_used_at DESC, f.id LIMIT $2",
        *(user_id, limit),
    )
    return [Session(**dict(row)) for row in rows]


async def touch(db: Database, session_id: uuid.UUID) -> None:
    """Note that a session was used now."""
    await db.execute("UPDATE refresh_families SET last_used_at = now() WHERE id = $1", session_id)


async def end(db: Database, session_id: uuid.UUID, reason: str) -> bool:
    """End a session; False when it had ended before."""
    tag = await db.execute(
        "UPDATE refresh_families SET ended_at = now(), end_reason = $2 WHERE id = $1 AND ended_at IS NULL",
        *(session_id, reason),
    )
    return affected_rows(tag) == 1


async def end_of_user(
    db: Database, user_id: uuid.UUID, reason: str, *, only: uuid.UUID | None = None, keep: uuid.UUID | None = None
) -> list[uuid.UUID]:
    """End a user's sessions, or ``only`` one, or all but ``keep``; return the ids of those that ended."""
    rows = await db.fetch(
        "UPDATE refresh_families SET ended_at = now(), end_reason = $2 WHERE user_id = $1 AND ended_at IS NULL "
        "AND expires_at > now() AND ($3::uuid IS NULL OR id = $3) AND ($4::uuid IS NULL OR id <> $4) RETURNING id",
        *(user_id, reason, only, keep),
    )
    return [row["id"] for row in rows]


async def delete_expired(db: Database, batch: int) -> int:
    """Delete up to ``batch`` sessions that expired a week ago, with their tokens; return how many."""
    tag = await db.execute(
        "DELETE FROM refresh_families WHERE id IN "
        "(SELECT id FROM refresh_families WHERE expires_at < now() - interval '7 days' LIMIT $1)",
        batch,
    )
    return affected_rows(tag)
