"""Plain SQL migrations: ``migrations/NNNN_name.sql`` of a package, each applied once, under an advisory lock."""

from __future__ import annotations

import asyncio
import re
from importlib import resources

import asyncpg

from castor_chassis.storage.postgres import Postgres
from castor_chassis.wire.errors import Unavailable

_MIGRATION = re.compile(r"\d{4}_[a-z0-9_]+\.sql")
_LOCK = 0x0CA5_7014
_BLOCKED = (
    "{name} was tried {tries} times, and each time another session kept a lock that it needs: see in pg_stat_activity "
    "and pg_stat_progress_create_index what runs so long, end it or wait for it, then run 'python -m {package} migrate'"
)


class MigrationBlocked(Exception):
    """A file could not be applied because other sessions kept locks that it needs; nothing of it is applied."""


def migration_files(package: str) -> list[tuple[str, str]]:
    """Return (name, SQL) of ``package/migrations/NNNN_name.sql`` in order; empty without such a folder."""
    folder = resources.files(package) / "migrations"
    if not folder.is_dir():
        return []
    files = [(entry.name, entry.read_text()) for entry in folder.iterdir() if _MIGRATION.fullmatch(entry.name)]
    return sorted(files)


async def migrate(
    dsn: str, package: str, *, lock_seconds: float = 5, pause_seconds: float = 5, tries: int = 12
) -> list[str]:
    """Apply what is missing, each file in its own transaction, and return the names applied.

    Safe to run from several replicas at once: they wait for one another on an advisory lock. A file waits
    ``lock_seconds`` for a lock, since whoever reads its tables queues behind it, and is tried again after
    ``pause_seconds``; raises ``MigrationBlocked`` after ``tries``.
    """
    connection = await asyncpg.connect(dsn, timeout=10)
    try:
        # A statement that waited would hold a snapshot, and CREATE INDEX CONCURRENTLY waits for all snapshots.
        while True:
            if await connection.fetchval("SELECT pg_try_advisory_lock($1)", _LOCK):
                break
            await asyncio.sleep(0.2)
        await connection.execute(
            "CREATE TABLE IF NOT EXISTS schema_migrations "
            "(name text PRIMARY KEY, applied_at timestamptz NOT NULL DEFAULT now())"
        )
        done = {row["name"] for row in await connection.fetch("SELECT name FROM schema_migrations")}
        missing = [(name, sql) for name, sql in migration_files(package) if name not in done]
        for name, sql in missing:
            for left in reversed(range(tries)):
                if await _applied(connection, name, sql, lock_seconds):
                    break
                if not left:
                    raise MigrationBlocked(_BLOCKED.format(name=name, tries=tries, package=package))
                await asyncio.sleep(pause_seconds)
        return [name for name, _ in missing]
    finally:
        await connection.close()


async def _applied(connection: asyncpg.Connection, name: str, sql: str, lock_seconds: float) -> bool:
    """Apply a file and return True, or nothing of it and return False where another session's locks are in its way."""
    try:
        async with connection.transaction():
            await connection.execute(f"SET LOCAL lock_timeout = {round(lock_seconds * 1000)}")
            await connection.execute(sql)
            await connection.execute("INSERT INTO schema_migrations (name) VALUES ($1)", name)
    except (asyncpg.LockNotAvailableError, asyncpg.DeadlockDetectedError):
        return False
    return True


async def check_migrated(postgres: Postgres, package: str) -> None:
    """Raise ``Unavailable`` unless PostgreSQL answers and every migration of ``package`` is applied."""
    wanted = {name for name, _ in migration_files(package)}
    exists = await postgres.fetchval("SELECT to_regclass('schema_migrations') IS NOT NULL")
    rows = await postgres.fetch("SELECT name FROM schema_migrations") if exists else []
    missing = sorted(wanted - {row["name"] for row in rows})
    if missing:
        raise Unavailable(reason=f"migrations not applied: {', '.join(missing)}; run 'python -m {package} migrate'")
