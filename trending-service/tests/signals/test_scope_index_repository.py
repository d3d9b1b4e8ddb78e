"""The indexes of scopes on a real PostgreSQL."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

import asyncpg
import pytest

from castor_chassis import Postgres
from castor_chassis.storage.migrations import migration_files
from trending_service.signals.scope_index_repository import ScopeIndexRepository

if TYPE_CHECKING:
    from conftest import Fill, Stream

_INDEXES = "SELECT indexname FROM pg_indexes WHERE indexdef LIKE '%(scopes)%' ORDER BY 1"


async def _names(postgres: Postgres) -> list[str]:
    return [row["indexname"] for row in await postgres.fetch(_INDEXES)]


@pytest.fixture
async def indexes(postgres: Postgres) -> ScopeIndexRepository:
    """The indexes of scopes, of which there is none yet."""
    for name in await _names(postgres):
        await postgres.execute(f"DROP INDEX {name}")
    return ScopeIndexRepository(postgres)


def test_no_migration_builds_it() -> None:
    """Under the lock of its migration nobody could read or write while it is built."""
    assert not [name for name, sql in migration_files("trending_service") if "(scopes)" in sql]


async def test_each_partition_has_an_index_once(postgres: Postgres, indexes: ScopeIndexRepository) -> None:
    """Those that have none get theirs; a second look changes nothing."""
    built = await indexes.ensure()
    assert {"tweets_2022", "tweets_default"} < set(built)
    assert await indexes.ensure() == []
    assert await _names(postgres) == sorted(f"{partition}_scopes" for partition in built)


async def test_a_half_built_index_is_replaced(
    postgres: Postgres, indexes: ScopeIndexRepository, fill: Fill, stream: Stream
) -> None:
    """One that a crash, here a failure, left invalid is dropped and built anew."""
    day = datetime(2022, 5, 1, tzinfo=UTC)
    await fill([stream.tweet(day, "ana", "paz", places=["cali"]) for _ in range(2)])
    with pytest.raises(asyncpg.UniqueViolationError):
        await postgres.execute("CREATE UNIQUE INDEX CONCURRENTLY tweets_2022_scopes ON tweets_2022 (scopes)")
    assert "tweets_2022" in await indexes.ensure()
    valid = "SELECT indisvalid AND NOT indisunique FROM pg_index WHERE indexrelid = 'tweets_2022_scopes'::regclass"
    assert await postgres.fetchval(valid)


async def test_an_index_over_all_partitions_is_kept(postgres: Postgres, indexes: ScopeIndexRepository) -> None:
    """It serves each of them."""
    await postgres.execute("CREATE INDEX tweets_by_scope ON tweets USING gin (scopes)")
    assert await indexes.ensure() == []
    await postgres.execute("DROP INDEX tweets_by_scope")
