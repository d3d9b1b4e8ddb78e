"""PostgreSQL: migrations once, JSON as objects, outages as 503 that heal."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import AsyncIterator
from pathlib import Path

import asyncpg
import pytest

from castor_chassis import DatabaseUnavailable, Postgres, Unavailable
from castor_chassis.storage.postgres import check_migrated, migrate, migration_files


@pytest.fixture
async def postgres(postgres_url: str) -> AsyncIterator[Postgres]:
    database = Postgres(postgres_url, size=4, timeout_seconds=3)
    await database.open()
    yield database
    await database.close()


@pytest.fixture
def package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest) -> str:
    name = f"migrated_{request.node.name}"
    folder = tmp_path / name / "migrations"
    folder.mkdir(parents=True)
    (folder.parent / "__init__.py").write_text("")
    (folder / "0001_things.sql").write_text(f"CREATE TABLE {name} (n int PRIMARY KEY); INSERT INTO {name} VALUES (1);")
    (folder / "notes.txt").write_text("not a migration")
    monkeypatch.syspath_prepend(str(tmp_path))
    yield_name = name
    sys.modules.pop(name, None)
    return yield_name


async def forget(postgres: Postgres) -> None:
    await postgres.execute("DROP TABLE IF EXISTS schema_migrations")


async def test_migrations_apply_once_from_many_replicas(postgres: Postgres, package: str) -> None:
    """Five replicas that migrate at once apply each file once."""
    await forget(postgres)
    applied = await asyncio.gather(*(migrate(postgres.dsn, package) for _ in range(5)))
    assert sorted(applied) == [[], [], [], [], ["0001_things.sql"]]
    assert await postgres.fetchval(f"SELECT count(*) FROM {package}") == 1


async def test_failed_migration_leaves_nothing(postgres: Postgres, package: str, tmp_path: Path) -> None:
    """A file that fails is undone whole, and the next run tries it again."""
    await forget(postgres)
    broken = tmp_path / package / "migrations" / "0002_broken.sql"
    broken.write_text("CREATE TABLE half (n int); SELECT 1/0;")
    with pytest.raises(asyncpg.DivisionByZeroError):
        await migrate(postgres.dsn, package)
    assert await postgres.fetchval("SELECT to_regclass('half')") is None
    broken.write_text("CREATE TABLE half (n int);")
    assert await migrate(postgres.dsn, package) == ["0002_broken.sql"]


async def test_readiness_names_missing_migrations(postgres: Postgres, package: str) -> None:
    """Before migrating the service is not ready and says what to run."""
    await forget(postgres)
    with pytest.raises(Unavailable, match="0001_things.sql; run 'python -m"):
        await check_migrated(postgres, package)
    await migrate(postgres.dsn, package)
    await check_migrated(postgres, package)
    assert [name for name, _ in migration_files(package)] == ["0001_things.sql"]


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


async def test_outage_is_503_and_heals(postgres: Postgres, postgres_url: str) -> None:
    """Broken connections answer 'unavailable' with Retry-After, and the next call connects anew."""
    assert await postgres.fetchval("SELECT 1") == 1
    killer = await asyncpg.connect(postgres_url)

    async def sleeper() -> None:
        await postgres.fetchval("SELECT pg_sleep(5)")

    call = asyncio.ensure_future(sleeper())
    await asyncio.sleep(0.2)
    await killer.execute(
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE pid <> pg_backend_pid() "
        "AND datname = current_database()"
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
