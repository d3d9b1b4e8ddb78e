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
# Twelve documents have both; of columns that know nothing of each other about 150 would.
_SPLIT = """
UPDATE documents SET source = CASE WHEN substr(id, 2)::int < 306 THEN 'a' ELSE 'b' END,
                     author = CASE WHEN substr(id, 2)::int < 294 THEN 'x' ELSE 'y' END
"""


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
        "WHERE statement LIKE '%readable_documents%'"
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
    await store_arc(600)
    await indexes.ensure()
    await postgres.execute(_SPLIT)
    await postgres.execute("ANALYZE documents")
    # As in a large index, whose scan ends long before its last vector.
    little = "SELECT set_config('hnsw.ef_search', '1', true), set_config('hnsw.iterative_scan', 'off', true), $1::text"
    monkeypatch.setattr(vector_search_repository, "_EFFORT", little)
    found = await searches.dense(far, "m", Filters(as_of=NOW, source="a", author="y"), 10)
    assert [candidate.key[0] for candidate in found] == [f"d{n:04}" for n in range(305, 295, -1)]


async def test_many_that_were_taken_for_few_are_searched_by_the_index(
    searches: SearchRepository,
    indexes: VectorIndexRepository,
    store_arc: StoreArc,
    far: list[float],
) -> None:
    """Without statistics, as after a first import, PostgreSQL expects a handful: what is found is the same."""
    drafts = await store_arc(600)
    await indexes.ensure()
    wide = Filters(as_of=NOW, until=drafts[300].published_at)
    found = await searches.dense(far, "m", wide, 10)
    assert [candidate.key[0] for candidate in found] == [f"d{n:04}" for n in range(299, 289, -1)]
    # Remembered for a minute, for whomever of the organisation asks as of whenever.
    later = await searches.dense(far, "m", Filters(as_of=drafts[299].published_at, until=wide.until), 10)
    assert later == found
