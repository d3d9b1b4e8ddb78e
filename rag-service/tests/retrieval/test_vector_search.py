"""The search by meaning chooses by how many candidates there are, and notices where PostgreSQL was wrong about it."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

import pytest

from castor_chassis import Postgres
from rag_service.retrieval import vector_search_repository
from rag_service.retrieval.model import Filters
from rag_service.retrieval.repository import SearchRepository
from rag_service.retrieval.vector_index_repository import VectorIndexRepository

if TYPE_CHECKING:
    from conftest import StoreArc

NOW = datetime(2100, 1, 1, tzinfo=UTC)


async def test_plans_are_made_for_the_values(
    migrated: str, store_arc: StoreArc, far: list[float], indexes: VectorIndexRepository
) -> None:
    """However often a statement is sent, PostgreSQL plans it for its filters and not for any."""
    await store_arc(60)
    await indexes.ensure()
    pool = Postgres(migrated, size=1)
    await pool.open()
    searches = SearchRepository(pool, dimensions=8, exact_rows=50)
    for _ in range(8):
        await searches.dense(far, "m", Filters(as_of=NOW, author="rara"), 10)
        await searches.lexical("texto", Filters(as_of=NOW, author="rara"), 10)
    plans = await pool.fetchrow(
        "SELECT sum(custom_plans) AS custom, sum(generic_plans) AS generic FROM pg_prepared_statements "
        "WHERE statement LIKE '%readable_documents%' AND parameter_types <> '{}'"
    )
    await pool.close()
    assert plans is not None
    assert plans["custom"] >= 8
    assert plans["generic"] == 0


async def test_few_that_were_taken_for_many_are_all_compared(
    searches: SearchRepository,
    indexes: VectorIndexRepository,
    store_arc: StoreArc,
    postgres: Postgres,
    far: list[float],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Where the index yields fewer than were asked for, the candidates are compared one by one."""
    drafts = await store_arc(600)
    await indexes.ensure()
    # Twelve documents are of this source and of a time since the middle; of two that do not depend, 150 would be.
    await postgres.execute("UPDATE documents SET source = 'early' WHERE id < 'd0312'")
    await postgres.execute("ANALYZE documents")
    # As in a large index, whose scan ends long before its last vector.
    little = "SELECT set_config('hnsw.ef_search', '1', true), set_config('hnsw.iterative_scan', 'off', true), $1::text"
    monkeypatch.setattr(vector_search_repository, "_EFFORT", little)
    found = await searches.dense(far, "m", Filters(as_of=NOW, source="early", since=drafts[300].published_at), 10)
    assert [candidate.key[0] for candidate in found] == [f"d{n:04}" for n in range(311, 301, -1)]


async def test_many_that_were_taken_for_few_are_searched_by_the_index(
    searches: SearchRepository,
    indexes: VectorIndexRepository,
    store_arc: StoreArc,
    far: list[float],
) -> None:
    """Of an author PostgreSQL expects a handful, since it keeps no statistics of names in small letters."""
    drafts = await store_arc(600)
    await indexes.ensure()
    found = await searches.dense(far, "m", Filters(as_of=NOW, author="otra"), 10)
    assert [candidate.key[0] for candidate in found] == [f"d{n:04}" for n in range(599, 589, -1)]
    # The estimate is kept for a minute, whatever the time that is asked of; what is found is not.
    earlier = Filters(as_of=drafts[299].published_at, author="otra")
    found = await searches.dense(far, "m", earlier, 10)
    assert [candidate.key[0] for candidate in found] == [f"d{n:04}" for n in range(299, 289, -1)]
