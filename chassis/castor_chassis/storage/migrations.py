"""Plain SQL migrations: ``migrations/NNNN_name.sql`` of a package, each applied once, under an advisory lock."""

from __future__ import annotations

import re
from importlib import resources

import asyncpg

from castor_chassis.storage.postgres import Postgres
from castor_chassis.wire.errors import Unavailable

_MIGRATION = re.compile(r"\d{4}_[a-z0-9_]+\.sql")
_LOCK = 0x0CA5_7014


def migration_files(package: str) -> list[tuple[str, str]]:
    """Return (name, SQL) of ``package/migrations/NNNN_name.sql`` in order; empty without such a folder."""
    folder = resources.files(package) / "migrations"
    if not folder.is_dir():
        return []
    files = [(entry.name, entry.read_text()) for entry in folder.iterdir() if _MIGRATION.fullmatch(entry.name)]
    return sorted(files)


async def migrate(dsn: str, package: str) -> list[str]:
    """Apply what is missing, each file in its own transaction, and return the names applied.

    Safe to run from several replicas at once: they wait for one another on an advisory lock.
    """
    connection = await asyncpg.connect(dsn, timeout=10)
    try:
        await connection.execute("SELECT pg_advisory_lock($1)", _LOCK)
        await connection.execute(
            "CREATE TABLE IF NOT EXISTS schema_migrations "
            "(name text PRIMARY KEY, applied_at timestamptz NOT NULL DEFAULT now())"
        )
        done = {row["name"] for row in await connection.fetch("SELECT name FROM schema_migrations")}
        applied = [(name, sql) for name, sql in migration_files(package) if name not in done]
        for name, sql in applied:
            async with connection.transaction():
                await connection.execute(sql)
                await connection.execute("INSERT INTO schema_migrations (name) VALUES ($1)", name)
        return [name for name, _ in applied]
    finally:
        await connection.close()


async def check_migrated(postgres: Postgres, package: str) -> None:
    """Raise ``Unavailable`` unless PostgreSQL answers and every migration of ``package`` is applied."""
    wanted = {name for name, _ in migration_files(package)}
    exists = await postgres.fetchval("SELECT to_regclass('schema_migrations') IS NOT NULL")
    rows = await postgres.fetch("SELECT name FROM schema_migrations") if exists else []
    missing = sorted(wanted - {row["name"] for row in rows})
    if missing:
        raise Unavailable(reason=f"migrations not applied: {', '.join(missing)}; run 'python -m {package} migrate'")
