"""A PostgreSQL pool that connects when needed, and plain SQL migrations under an advisory lock."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator, Iterable, Iterator
from contextlib import asynccontextmanager, contextmanager
from importlib import resources
from typing import Any, cast

import asyncpg
import orjson

from castor_chassis.metrics import DATABASE_ERRORS
from castor_chassis.wire.errors import DatabaseUnavailable, Unavailable

_AWAY = (
    OSError,
    TimeoutError,
    asyncpg.PostgresConnectionError,
    asyncpg.CannotConnectNowError,
    asyncpg.TooManyConnectionsError,
    asyncpg.AdminShutdownError,
    asyncpg.CrashShutdownError,
    asyncpg.InternalClientError,
)
_CLOSED = ("connection is closed", "pool is clos", "connection was closed", "underlying connection", "released back")
_MIGRATION = re.compile(r"\d{4}_[a-z0-9_]+\.sql")
_LOCK = 0x0CA5_7014


@contextmanager
def _faults_named() -> Iterator[None]:
    try:
        yield
    except (*_AWAY, asyncpg.InterfaceError) as error:
        # An InterfaceError is a lost connection or a mistake in our own call; only the first is an outage.
        if isinstance(error, asyncpg.InterfaceError) and not any(text in str(error) for text in _CLOSED):
            raise
        DATABASE_ERRORS.inc()
        raise DatabaseUnavailable(retry_after_seconds=2) from error


async def _use_json(connection: asyncpg.Connection) -> None:
    await connection.set_type_codec(
        "jsonb",
        schema="pg_catalog",
        format="binary",
        encoder=lambda value: b"\x01" + orjson.dumps(value),
        decoder=lambda data: orjson.loads(data[1:]),
    )


class Postgres:
    """The pool of one service. Nothing connects until the first statement, so a service starts without it.

    Every method raises ``DatabaseUnavailable`` (503) when PostgreSQL is away, and the errors of asyncpg
    for anything that is wrong with the statement itself.
    """

    def __init__(self, dsn: str, *, size: int = 8, timeout_seconds: float = 10) -> None:
        self.dsn = dsn
        self._size = size
        self._timeout = timeout_seconds
        self._pool: asyncpg.Pool | None = None

    async def open(self) -> None:
        """Make the pool, without a connection."""
        self._pool = await asyncpg.create_pool(
            self.dsn,
            min_size=0,
            max_size=self._size,
            command_timeout=self._timeout,
            timeout=min(5.0, self._timeout),
            init=_use_json,
            server_settings={"timezone": "UTC", "idle_in_transaction_session_timeout": "60s"},
        )

    async def close(self) -> None:
        """Close the pool within five seconds."""
        if self._pool is not None:
            self._pool.terminate()

    @asynccontextmanager
    async def connection(self) -> AsyncIterator[asyncpg.Connection]:
        """Lend a connection."""
        if self._pool is None:
            raise DatabaseUnavailable(retry_after_seconds=2)
        with _faults_named():
            async with self._pool.acquire(timeout=self._timeout) as connection:
                # The pool's proxy has every method of a connection.
                yield cast(asyncpg.Connection, connection)

    @asynccontextmanager
    async def transaction(self) -> AsyncIterator[asyncpg.Connection]:
        """Lend a connection inside a transaction that commits at the end, or not at all."""
        async with self.connection() as connection:
            with _faults_named():
                async with connection.transaction():
                    yield connection

    async def fetch(self, sql: str, *args: Any) -> list[asyncpg.Record]:
        """Return all rows."""
        async with self.connection() as connection:
            rows: list[asyncpg.Record] = await connection.fetch(sql, *args)
            return rows

    async def fetchrow(self, sql: str, *args: Any) -> asyncpg.Record | None:
        """Return the first row, or None."""
        async with self.connection() as connection:
            return await connection.fetchrow(sql, *args)

    async def fetchval(self, sql: str, *args: Any) -> Any:
        """Return the first column of the first row, or None."""
        async with self.connection() as connection:
            return await connection.fetchval(sql, *args)

    async def execute(self, sql: str, *args: Any) -> str:
        """Run one statement and return its command tag, for example ``UPDATE 3``."""
        async with self.connection() as connection:
            return str(await connection.execute(sql, *args))

    async def executemany(self, sql: str, args: Iterable[Any]) -> None:
        """Run one statement for each of ``args``, in one transaction."""
        async with self.connection() as connection:
            await connection.executemany(sql, args)


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
