"""PostgreSQL: JSON as objects, outages as 503 that heal, mistakes as themselves."""

from __future__ import annotations

import asyncio

import asyncpg
import pytest

from castor_chassis import DatabaseUnavailable, Postgres, affected_rows
from castor_chassis.wire.errors import DatabaseSlow


async def test_jsonb_is_objects(postgres: Postgres) -> None:
    """JSON goes in and comes out as Python objects."""
    value = {"a": [1, 2.5, None, "ñ"]}
    assert await postgres.fetchval("SELECT $1::jsonb", value) == value


async def test_transaction_is_all_or_nothing(postgres: Postgres) -> None:
    """An error inside a transaction undoes what came before it."""
    await postgres.execute("CREATE TABLE IF NOT EXISTS numbers (n int)")
    with pytest.raises(ZeroDivisionError):
        async with postgres.transaction() as connection:
            await connection.execute("INSERT INTO numbers VALUES (1)")
            raise ZeroDivisionError
    assert await postgres.fetchval("SELECT count(*) FROM numbers") == 0


async def test_mistakes_are_not_outages(postgres: Postgres) -> None:
    """A wrong statement raises its own error, never 'unavailable'."""
    with pytest.raises(asyncpg.UndefinedTableError):
        await postgres.fetch("SELECT * FROM no_such_table")
    with pytest.raises(asyncpg.InterfaceError):
        await postgres.fetch("SELECT $1::int")


async def test_a_mistake_is_none_whatever_its_text_says(postgres: Postgres) -> None:
    """On a connection that stands, an error is an error, also when it speaks of closed connections."""
    with pytest.raises(asyncpg.InterfaceError):
        async with postgres.connection():
            raise asyncpg.InterfaceError("connection is closed")
    async with postgres.connection() as connection:
        running = asyncio.ensure_future(connection.fetchval("SELECT pg_sleep(60)"))
        await asyncio.sleep(0.05)
        with pytest.raises(asyncpg.InterfaceError):
            await connection.fetchval("SELECT 1")
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)


async def test_a_connection_lost_between_two_statements_is_an_outage(postgres: Postgres, postgres_url: str) -> None:
    """A session that ends while it is lent out, in a transaction or not, is 'unavailable' at the next statement."""
    killer = await asyncpg.connect(postgres_url)
    for lend in (postgres.connection, postgres.transaction):
        with pytest.raises(DatabaseUnavailable):
            async with lend() as connection:
                await killer.execute("SELECT pg_terminate_backend($1)", connection.get_server_pid())
                await asyncio.sleep(0.2)
                await connection.fetchval("SELECT 1")
        assert await postgres.fetchval("SELECT 1") == 1
    await killer.close()


async def test_a_statement_that_takes_too_long_is_no_outage(postgres: Postgres) -> None:
    """It says that the database was slow, not that it is away; workers try it again as after an outage."""
    for lend in (postgres.connection, postgres.transaction):
        with pytest.raises(DatabaseSlow, match="did not finish within the time limit") as caught:
            async with lend() as connection:
                await connection.execute("SELECT pg_sleep(60)", timeout=0.05)
        assert isinstance(caught.value, DatabaseUnavailable)
        assert (caught.value.status, caught.value.code) == (503, "database_slow")
    assert await postgres.fetchval("SELECT 1") == 1


async def test_a_closed_pool_is_an_outage(postgres: Postgres) -> None:
    """What comes after the pool was closed, or is under way as it is, hears 'unavailable'."""
    under_way = asyncio.ensure_future(postgres.fetchval("SELECT pg_sleep(60)"))
    await asyncio.sleep(0.1)
    await postgres.close()
    for call in (under_way, postgres.fetchval("SELECT 1")):
        with pytest.raises(DatabaseUnavailable):
            await call


async def test_affected_rows(postgres: Postgres) -> None:
    """The number of changed rows is read from the tag of each kind of statement."""
    await postgres.execute("CREATE TABLE IF NOT EXISTS tagged (n int)")
    assert affected_rows(await postgres.execute("INSERT INTO tagged SELECT generate_series(1, 12)")) == 12
    assert affected_rows(await postgres.execute("UPDATE tagged SET n = 0 WHERE n > 9")) == 3
    assert affected_rows(await postgres.execute("DELETE FROM tagged WHERE n > 99")) == 0
    with pytest.raises(ValueError, match="TABLE"):
        affected_rows(await postgres.execute("DROP TABLE tagged"))


async def test_outage_is_503_and_heals(postgres: Postgres, postgres_url: str) -> None:
    """Broken connections answer 'unavailable' with Retry-After, and the next call connects anew."""
    assert await postgres.fetchval("SELECT 1") == 1
    killer = await asyncpg.connect(postgres_url)

    async def sleeper() -> None:
        await postgres.fetchval("SELECT pg_sleep(60)")

    call = asyncio.ensure_future(sleeper())
    await asyncio.sleep(0.2)
    await killer.execute(
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE pid <> pg_backend_pid() "
        "AND datname = current_database() AND backend_type = 'client backend' AND usename = current_user"
    )
    await killer.close()
    with pytest.raises(DatabaseUnavailable) as caught:
        await call
    assert caught.value.headers() == {"Retry-After": "2"}
    assert await postgres.fetchval("SELECT 1") == 1


async def test_absent_server_is_503() -> None:
    """A server that is not there at all is 'unavailable' too, and opening the pool does not need it."""
    database = Postgres("postgresql://nobody@127.0.0.1:1/none", timeout_seconds=1)
    await database.open()
    with pytest.raises(DatabaseUnavailable):
        await database.fetchval("SELECT 1")
    await database.close()


@pytest.mark.parametrize(
    "condition", ["read_only_sql_transaction", "disk_full", "out_of_memory", "deadlock_detected", "io_error"]
)
async def test_what_the_server_cannot_do_now_is_an_outage(postgres: Postgres, condition: str) -> None:
    """A server that answers but cannot work says nothing about the statement: the caller may try again."""
    with pytest.raises(DatabaseUnavailable):
        await postgres.execute(f"DO $$ BEGIN RAISE EXCEPTION USING errcode = '{condition}'; END $$")
    assert await postgres.fetchval("SELECT 1") == 1


async def test_after_a_failover_new_connections_are_made(postgres: Postgres, postgres_url: str) -> None:
    """A server that became read-only is left: what comes next connects anew, where the primary is then."""
    other = await asyncpg.connect(postgres_url)
    name = await other.fetchval("SELECT quote_ident(current_database())")
    await other.execute(f"ALTER DATABASE {name} SET default_transaction_read_only = on")
    try:
        with pytest.raises(DatabaseUnavailable):
            await postgres.execute("CREATE TABLE written (n int)")
    finally:
        await other.execute(f"ALTER DATABASE {name} RESET default_transaction_read_only")
        await other.close()
    await postgres.execute("CREATE TABLE written (n int)")
    await postgres.execute("DROP TABLE written")
