"""Answers of requests with an Idempotency-Key, in the table ``idempotent_answers`` of a service."""

from __future__ import annotations

from dataclasses import dataclass

from castor_chassis.storage.postgres import Database

TABLE = """\
-- Answers of requests with an Idempotency-Key, for 24 hours; bodies are sealed by the key, which is not stored.
CREATE TABLE idempotent_answers (
    name          bytea       PRIMARY KEY,
    asked         bytea       NOT NULL,
    status        smallint    NOT NULL,
    cache_control text,
    body          bytea       NOT NULL,
    kept_at       timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX idempotent_answers_kept_at ON idempotent_answers (kept_at);
"""
"""The migration of a service that has routes with ``Once``."""
_KEPT = "interval '24 hours'"


@dataclass(frozen=True, slots=True)
class KeptAnswer:
    """The answer of a request: ``asked`` is the digest of what was asked, ``body`` is sealed."""

    asked: bytes
    status: int
    cache_control: str | None
    body: bytes


async def lock(db: Database, name: bytes) -> bool:
    """Take the lock of a request until the end of the transaction; False while another transaction has it."""
    return bool(await db.fetchval("SELECT pg_try_advisory_xact_lock($1)", int.from_bytes(name[:8], signed=True)))


async def find(db: Database, name: bytes) -> KeptAnswer | None:
    """Return the answer of a request of the last 24 hours."""
    row = await db.fetchrow(
        "SELECT asked, status, cache_control, body FROM idempotent_answers "
        f"WHERE name = $1 AND kept_at > now() - {_KEPT}",
        name,
    )
    return KeptAnswer(**dict(row)) if row is not None else None


async def keep(db: Database, name: bytes, answer: KeptAnswer) -> None:
    """Keep an answer, and drop some that are older than 24 hours."""
    await db.execute(
        "INSERT INTO idempotent_answers (name, asked, status, cache_control, body) VALUES ($1, $2, $3, $4, $5) "
        "ON CONFLICT (name) DO UPDATE SET asked = $2, status = $3, cache_control = $4, body = $5, kept_at = now()",
        *(name, answer.asked, answer.status, answer.cache_control, answer.body),
    )
    await db.execute(
        "DELETE FROM idempotent_answers WHERE name IN (SELECT name FROM idempotent_answers "
        f"WHERE kept_at <= now() - {_KEPT} LIMIT 100 FOR UPDATE SKIP LOCKED)"
    )
