"""Migrations: each file once, by whichever replica comes first, and readiness names what is missing."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import AsyncIterator
from pathlib import Path

import asyncpg
import pytest

from castor_chassis import Postgres, Unavailable
from castor_chassis.storage.migrations import MigrationBlocked, check_migrated, migrate, migration_files
from castor_chassis.testing import until


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


@pytest.fixture
async def reader(postgres: Postgres, package: str, tmp_path: Path) -> AsyncIterator[asyncpg.Connection]:
    """A session in a transaction that has read the table which the next migration changes."""
    await forget(postgres)
    await migrate(postgres.dsn, package)
    (tmp_path / package / "migrations" / "0002_more.sql").write_text(f"ALTER TABLE {package} ADD COLUMN more int;")
    session = await asyncpg.connect(postgres.dsn)
    await session.execute(f"BEGIN; SELECT FROM {package}")
    yield session
    await session.close()


async def test_readers_do_not_queue_behind_a_migration_that_waits(
    postgres: Postgres, package: str, reader: asyncpg.Connection
) -> None:
    """While one session keeps a lock others read, and the file is applied when the lock is free."""
    running = asyncio.create_task(migrate(postgres.dsn, package, lock_seconds=0.3, pause_seconds=0.1, tries=100_000))
    waits = "SELECT EXISTS (SELECT FROM pg_locks WHERE NOT granted AND mode = 'AccessExclusiveLock')"
    await until(lambda: postgres.fetchval(waits))
    other = await asyncpg.connect(postgres.dsn)
    assert await other.fetchval(f"SELECT count(*) FROM {package}", timeout=30) == 1
    await other.close()
    assert not running.done()
    await reader.execute("COMMIT")
    assert await running == ["0002_more.sql"]


async def test_a_migration_that_is_kept_waiting_says_what_to_do(
    postgres: Postgres, package: str, reader: asyncpg.Connection
) -> None:
    """After its tries it names the file and where the other session is seen, and the next run applies it."""
    with pytest.raises(MigrationBlocked, match=rf"0002_more.sql .* pg_stat_activity .* 'python -m {package} migrate'"):
        await migrate(postgres.dsn, package, lock_seconds=0.05, pause_seconds=0, tries=2)
    await reader.execute("COMMIT")
    assert await migrate(postgres.dsn, package) == ["0002_more.sql"]


async def test_readiness_names_missing_migrations(postgres: Postgres, package: str) -> None:
    """Before migrating the service is not ready and says what to run."""
    await forget(postgres)
    with pytest.raises(Unavailable, match="0001_things.sql; run 'python -m"):
        await check_migrated(postgres, package)
    await migrate(postgres.dsn, package)
    await check_migrated(postgres, package)
    assert [name for name, _ in migration_files(package)] == ["0001_things.sql"]
