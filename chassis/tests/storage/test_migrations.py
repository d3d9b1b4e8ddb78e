"""Migrations: each file once, by whichever replica comes first, and readiness names what is missing."""

from __future__ import annotations

import asyncio
import sys
from pathlib import Path

import asyncpg
import pytest

from castor_chassis import Postgres, Unavailable
from castor_chassis.storage.migrations import check_migrated, migrate, migration_files


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
