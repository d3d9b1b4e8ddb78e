"""The SQL of sessions as their owner sees them, and of what was revoked."""

from __future__ import annotations

import uuid
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from auth_service.users.repository import AuthStore
from castor_chassis.security.revocation import Revocation

_SESSION = "f.id, f.created_at, f.last_used_at, f.expires_at, f.user_agent"


@dataclass(frozen=True, slots=True)
class Session:
    """One login on one device."""

    id: uuid.UUID
    created_at: datetime
    last_used_at: datetime
    expires_at: datetime
    user_agent: str


async def open_sessions(db: AuthStore, user_id: uuid.UUID, limit: int) -> list[Session]:
    """Return a user's sessions in force, the last used first."""
    rows = await db.fetch(
        f"SELECT {_SESSION} FROM refresh_families f WHERE f.user_id = $1 AND f.ended_at IS NULL "
        "AND f.expires_at > now() AND EXISTS (SELECT FROM refresh_tokens t WHERE t.family_id = f.id "
        "AND t.used_at IS NULL AND t.expires_at > now()) ORDER BY f.last_used_at DESC, f.id LIMIT $2",
        *(user_id, limit),
    )
    return [Session(**dict(row)) for row in rows]


async def end_sessions(
    db: AuthStore, user_id: uuid.UUID, reason: str, *, only: uuid.UUID | None = None, keep: uuid.UUID | None = None
) -> list[uuid.UUID]:
    """End a user's sessions, or ``only`` one, or all but ``keep``; return which."""
    rows = await db.fetch(
        "UPDATE refresh_families SET ended_at = now(), end_reason = $2 WHERE user_id = $1 AND ended_at IS NULL "
        "AND expires_at > now() AND ($3::uuid IS NULL OR id = $3) AND ($4::uuid IS NULL OR id <> $4) RETURNING id",
        *(user_id, reason, only, keep),
    )
    return [row["id"] for row in rows]


async def insert_revocations(db: AuthStore, kind: str, subjects: Sequence[str], lifetime: timedelta) -> None:
    """Store what was revoked under the next epoch; others who revoke wait until the transaction ends."""
    await db.execute(
        "WITH next AS (UPDATE revocation_epoch SET epoch = epoch + 1 RETURNING epoch) "
        "INSERT INTO revocations (epoch, kind, subject, expires_at) "
        "SELECT next.epoch, $1, subject, clock_timestamp() + $3 FROM next, unnest($2::text[]) AS subject",
        *(kind, list(dict.fromkeys(subjects)), lifetime),
    )


async def revocation_epoch(db: AuthStore) -> int:
    """Return the number of the last revocation."""
    return int(await db.fetchval("SELECT epoch FROM revocation_epoch"))


async def revocations(db: AuthStore, after: int, up_to: int) -> Iterable[tuple[int, Revocation]]:
    """Return what was revoked after one epoch up to another and still matters, in order."""
    rows = await db.fetch(
        "SELECT epoch, kind, subject, extract(epoch FROM revoked_at)::float8 AS revoked_at, "
        "extract(epoch FROM expires_at)::float8 AS expires_at FROM revocations "
        "WHERE epoch > $1 AND epoch <= $2 AND expires_at > now() ORDER BY epoch",
        *(after, up_to),
    )
    return [
        (row["epoch"], Revocation(row["kind"], row["subject"], row["revoked_at"], row["expires_at"])) for row in rows
    ]


async def delete_expired_revocations(db: AuthStore, batch: int) -> int:
    """Forget what no longer matters; return how much."""
    tag = await db.execute(
        "DELETE FROM revocations WHERE ctid = ANY (ARRAY("
        "SELECT ctid FROM revocations WHERE expires_at < now() - interval '1 hour' LIMIT $1))",
        batch,
    )
    return int(str(tag).split()[1])
