"""The SQL of tables ``revocations`` and ``revocation_epoch``."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta

import asyncpg

from castor_chassis.security.revocation import Revocation
from castor_chassis.storage.postgres import Database, affected_rows


@dataclass(frozen=True, slots=True)
class StoredRevocation:
    """A revocation and the epoch that it belongs to."""

    epoch: int
    revocation: Revocation


async def insert(db: asyncpg.Connection, kind: str, subjects: Sequence[str], lifetime: timedelta) -> None:
    """Store what was revoked under the next epoch; other transactions that revoke wait until this one ends."""
    await db.execute(
        "WITH next AS (UPDATE revocation_epoch SET epoch = epoch + 1 RETURNING epoch) "
        "INSERT INTO revocations (epoch, kind, subject, expires_at) "
        "SELECT next.epoch, $1, subject, clock_timestamp() + $3 FROM next, unnest($2::text[]) AS subject",
        *(kind, list(dict.fromkeys(subjects)), lifetime),
    )


async def last_epoch(db: Database) -> int:
    """Return the epoch of the last revocation."""
    return int(await db.fetchval("SELECT epoch FROM revocation_epoch"))


async def between(db: Database, after: int, up_to: int) -> list[StoredRevocation]:
    """Return what was revoked after one epoch, up to another, and has not expired; in order."""
    rows = await db.fetch(
        "SELECT epoch, kind, subject, extract(epoch FROM revoked_at)::float8 AS revoked_at, "
        "extract(epoch FROM expires_at)::float8 AS expires_at FROM revocations "
        "WHERE epoch > $1 AND epoch <= $2 AND expires_at > now() ORDER BY epoch",
        *(after, up_to),
    )
    return [
        StoredRevocation(row["epoch"], Revocation(row["kind"], row["subject"], row["revoked_at"], row["expires_at"]))
        for row in rows
    ]


async def delete_expired(db: Database, batch: int) -> int:
    """Delete up to ``batch`` revocations whose tokens expired an hour ago; return how many."""
    tag = await db.execute(
        "DELETE FROM revocations WHERE ctid = ANY (ARRAY("
        "SELECT ctid FROM revocations WHERE expires_at < now() - interval '1 hour' LIMIT $1))",
        batch,
    )
    return affected_rows(tag)
