"""A PostgreSQL pool that connects when needed, and names an outage."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Iterable, Iterator
from contextlib import AbstractContextManager, asynccontextmanager, contextmanager
from contextvars import ContextVar
from typing import Any, cast

import asyncpg
import orjson

from castor_chassis.metrics import DATABASE_ERRORS
from castor_chassis.wire.errors import DatabaseSlow, DatabaseUnavailable

_AWAY = (
    OSError,
    TimeoutError,
    asyncpg.PostgresConnectionError,
    asyncpg.CannotConnectNowError,
    asyncpg.AdminShutdownError,
    asyncpg.CrashShutdownError,
    asyncpg.InternalClientError,
    # The server answers but cannot do it now: disk, memory or connections used up, no longer the primary, a deadlock.
    asyncpg.InsufficientResourcesError,
    asyncpg.PostgresSystemError,
    asyncpg.ReadOnlySQLTransactionError,
    asyncpg.TransactionRollbackError,
)


def affected_rows(command_tag: str) -> int:
    """Return how many rows a statement changed, from what ``execute`` returns: ``UPDATE 3``, ``INSERT 0 1``.

    Raises ``ValueError`` for the tag of a statement that changes no rows, such as ``CREATE TABLE``.
    """
    return int(command_tag.rpartition(" ")[2])


@contextmanager
def _outages_named(
    is_gone: Callable[[], bool], late: type[DatabaseUnavailable] = DatabaseUnavailable
) -> Iterator[None]:
    """Raise ``DatabaseUnavailable`` in place of what a lost PostgreSQL makes asyncpg raise.

    An ``InterfaceError`` is a lost connection or a mistake in our own call, by one type: it is an outage where
    ``is_gone()`` says that the connection, or the pool, is closed. ``late`` is raised when a time limit passes
    while it is not.
    """
    try:
        yield
    except (*_AWAY, asyncpg.InterfaceError) as error:
        if isinstance(error, asyncpg.InterfaceError) and not is_gone():
            raise
        DATABASE_ERRORS.inc()
        # A TimeoutError with a number is the operating system's, of a connection that breaks.
        is_late = isinstance(error, TimeoutError) and error.errno is None and not is_gone()
        raise (late if is_late else DatabaseUnavailable)(retry_after_seconds=2) from error


def _is_gone(connection: asyncpg.Connection) -> bool:
    """Return whether a connection that is lent out has been lost."""
    try:
        return connection.is_closed()
    except asyncpg.InterfaceError:
        # The pool takes a connection that breaks back from whoever holds it, and its proxy then refuses every call.
        return True


async def _use_json(connection: asyncpg.Connection) -> None:
    await connection.set_type_codec(
        "jsonb",
        schema="pg_catalog",
        format="binary",
        encoder=lambda value: b"\x01" + orjson.dumps(value),
        decoder=lambda data: orjson.loads(data[1:]),
    )


class OpenTransaction:
    """A transaction that is neither committed nor undone yet, and in which its task does all that it does."""

    def __init__(self, pool: asyncpg.Pool, lent: Any, ended: Callable[[], None]) -> None:
        self.connection = cast(asyncpg.Connection, lent)
        self._pool = pool
        self._lent = lent
        self._ended = ended
        self._transaction = self.connection.transaction()

    async def start(self) -> None:
        """Begin; what this task, and no other, asks of the pool from now on runs in it."""
        await self._transaction.start()
        task = asyncio.current_task()
        assert task is not None
        _joined.set((task, self._pool, self.connection))

    def outages_named(self) -> AbstractContextManager[None]:
        """Raise ``DatabaseUnavailable`` in the block when the connection is lost."""
        return _outages_named(lambda: _is_gone(self.connection), DatabaseSlow)

    async def end(self, *, commit: bool) -> None:
        """Commit, or undo; raises ``DatabaseUnavailable`` when a commit is lost."""
        _joined.set(None)
        try:
            with self.outages_named():
                await (self._transaction.commit() if commit else self._transaction.rollback())
        except DatabaseUnavailable:
            if commit:
                raise
        finally:
            self._ended()
            await self._pool.release(self._lent)


_Joined = tuple[asyncio.Task[Any], asyncpg.Pool, asyncpg.Connection]
_joined: ContextVar[_Joined | None] = ContextVar("castor_joined_transaction", default=None)


class Postgres:
    """The pool of one service. Nothing connects until the first statement, so a service starts without it.

    Every method raises ``DatabaseUnavailable`` (503) when PostgreSQL is away or cannot work now, ``DatabaseSlow``,
    which is one, when a statement does not end within ``timeout_seconds``, and asyncpg's errors for a wrong one.
    """

    def __init__(self, dsn: str, *, size: int = 8, timeout_seconds: float = 10) -> None:
        self.dsn = dsn
        self._size = size
        self._timeout = timeout_seconds
        self._pool: asyncpg.Pool | None = None
        # They keep their connections while a route waits for others, which must not take all that there are.
        self._open_transactions = asyncio.Semaphore(max(1, size // 4))

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
        """Lend a connection: in an ``OpenTransaction`` of this task its own, and a failure undoes this block alone."""
        if self._pool is None:
            raise DatabaseUnavailable(retry_after_seconds=2)
        joined = _joined.get()
        if joined is not None and joined[:2] == (asyncio.current_task(), self._pool):
            with _outages_named(lambda: _is_gone(joined[2]), DatabaseSlow):
                async with joined[2].transaction():
                    yield joined[2]
            return
        with _outages_named(self._pool.is_closing):
            async with self._pool.acquire(timeout=self._timeout) as proxy:
                # The pool's proxy has every method of a connection.
                lent = cast(asyncpg.Connection, proxy)
                with _outages_named(lambda: _is_gone(lent), DatabaseSlow):
                    try:
                        yield lent
                    except asyncpg.ReadOnlySQLTransactionError:
                        # The primary is another server now, and only a new connection leads there.
                        await self._pool.expire_connections()
                        raise

    async def begin(self) -> OpenTransaction:
        """Begin a transaction that this task ends later with ``end``; until then all that it does runs in it.

        A quarter of the connections may be in such transactions; the next waits.
        """
        if self._pool is None:
            raise DatabaseUnavailable(retry_after_seconds=2)
        await self._open_transactions.acquire()
        try:
            return await self._begin(self._pool)
        except BaseException:
            self._open_transactions.release()
            raise

    async def _begin(self, pool: asyncpg.Pool) -> OpenTransaction:
        with _outages_named(pool.is_closing):
            lent = await pool.acquire(timeout=self._timeout)
            opened = OpenTransaction(pool, lent, self._open_transactions.release)
            try:
                await opened.start()
            except BaseException:
                await pool.release(lent)
                raise
            return opened

    @asynccontextmanager
    async def transaction(self) -> AsyncIterator[asyncpg.Connection]:
        """Lend a connection inside a transaction that commits at the end, or not at all."""
        async with self.connection() as connection:
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
        """Run one statement and return its command tag, for example ``UPDATE 3``; see ``affected_rows``."""
        async with self.connection() as connection:
            return str(await connection.execute(sql, *args))

    async def executemany(self, sql: str, args: Iterable[Any]) -> None:
        """Run one statement for each of ``args``, in one transaction."""
        async with self.connection() as connection:
            await connection.executemany(sql, args)


Database = Postgres | asyncpg.Connection
"""What a repository runs a statement on: the pool, or a connection, of a transaction for example."""
