"""The searches on a real PostgreSQL: by words, by meaning, exact and approximate."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

import pytest

from castor_chassis import Postgres
from rag_service.documents.model import Draft
from rag_service.documents.repository import DocumentRepository
from rag_service.embeddings.model import Embeddings
from rag_service.embeddings.repository import EmbeddingRepository
from rag_service.retrieval.model import Filters
from rag_service.retrieval.repository import _TERMS, SearchRepository
from rag_service.retrieval.vector_index_repository import VectorIndexRepository
from rag_service.retrieval.vector_search_repository import _APPROXIMATE

if TYPE_CHECKING:
    from conftest import StoreArc

NOW = datetime(2100, 1, 1, tzinfo=UTC)
ALL = Filters(as_of=NOW)


@pytest.mark.parametrize("query", ["votación", "votacion", "VOTACIONES", "votaciones"])
async def test_accents_and_endings_do_not_matter(
    documents: DocumentRepository, searches: SearchRepository, query: str
) -> None:
    """A word is found with and without its accent, in singular and plural."""
    await documents.save([Draft("d1", "La votación será el domingo.", "x"), Draft("d2", "Llueve en Pasto.", "x")])
    assert [candidate.key[0] for candidate in await searches.lexical(query, ALL, 5)] == ["d1"]


async def test_rare_words_weigh_more_than_common_ones(
    documents: DocumentRepository, searches: SearchRepository
) -> None:
    """Of a question's words the one that few documents have decides."""
    common = [Draft(f"c{n}", f"El candidato habló, el candidato saludó, candidato {n}.", "x") for n in range(30)]
    await documents.save([*common, Draft("rare", "Un candidato propone fracking cero en el páramo.", "x")])
    found = await searches.lexical("¿Qué candidato habla de fracking?", ALL, 5)
    assert found[0].key[0] == "rare"
    assert len(found) == 5


async def test_the_documents_of_a_word_are_counted_once(postgres: Postgres) -> None:
    """The plan counts those of the feed and those of the organisation, and not again for the order or a condition."""
    plan = await postgres.fetch(f"EXPLAIN {_TERMS}", "hospital nuevo", NOW, "default", {})
    assert sum("Aggregate" in row["QUERY PLAN"] for row in plan) == 2


@pytest.mark.parametrize("query", ["'; DROP TABLE documents; --", "a\\' | !b & <-> (", "¿¡…!?", "de la que", "🇨🇴"])
async def test_any_text_is_a_query(documents: DocumentRepository, searches: SearchRepository, query: str) -> None:
    """No characters of a query reach PostgreSQL as query syntax."""
    await documents.save([Draft("d1", "Nada en común.", "x")])
    assert await searches.lexical(query, ALL, 5) == []


async def test_a_selective_filter_returns_full_results(
    searches: SearchRepository, indexes: VectorIndexRepository, store_arc: StoreArc, far: list[float]
) -> None:
    """With an approximate index and a filter of 2.5 %, all ten nearest of those that fit are found, in order."""
    await store_arc(600)
    assert await indexes.ensure() == 1
    found = await searches.dense(far, "m", Filters(as_of=NOW, author="rara"), 10)
    assert [candidate.key[0] for candidate in found] == [f"d{n:04}" for n in range(560, 160, -40)]
    everything = await searches.dense(far, "m", ALL, 10)
    assert [candidate.key[0] for candidate in everything] == [f"d{n:04}" for n in range(599, 589, -1)]


async def test_a_wide_filter_on_the_index_returns_full_results(
    searches: SearchRepository, indexes: VectorIndexRepository, store_arc: StoreArc, far: list[float]
) -> None:
    """A filter that leaves more than can be compared one by one goes on along the index until it has enough."""
    drafts = await store_arc(600)
    await indexes.ensure()
    early = Filters(as_of=NOW, until=drafts[100].published_at)
    found = await searches.dense(far, "m", early, 10)
    assert [candidate.key[0] for candidate in found] == [f"d{n:04}" for n in range(99, 89, -1)]


async def test_the_index_serves_the_approximate_search(
    indexes: VectorIndexRepository, store_arc: StoreArc, postgres: Postgres
) -> None:
    """The statement that is sent can use the index that is built: the planner chooses it when scans are dear."""
    await store_arc(600)
    await indexes.ensure()
    await postgres.execute("ANALYZE documents")
    async with postgres.transaction() as connection:
        await connection.execute("SET LOCAL enable_seqscan = off")
        await connection.execute("SET LOCAL enable_sort = off")
        plan = await connection.fetchval(
            "EXPLAIN (FORMAT JSON) SELECT d.id FROM documents d WHERE d.embedding_model = 'm' "
            "AND vector_dims(d.embedding) = 8 AND d.published_at <= '2100-01-01' "
            "ORDER BY d.embedding::halfvec(8) <=> '[1,1,0,0,0,0,0,0]'::halfvec(8) LIMIT 10"
        )
    assert "documents_2022_hnsw_8" in str(plan)


async def test_all_that_the_index_yields_is_sorted(
    indexes: VectorIndexRepository, store_arc: StoreArc, postgres: Postgres, far: list[float]
) -> None:
    """The index yields neighbours nearly in order; the plan takes them all and then sorts, it trusts no order."""
    await store_arc(600)
    await indexes.ensure()
    await postgres.execute("ANALYZE documents")
    statement = _APPROXIMATE.format(dimensions=8, where="d.published_at <= '2100-01-01'")
    async with postgres.transaction() as connection:
        await connection.execute("SET LOCAL enable_seqscan = off")
        await connection.execute("SET LOCAL hnsw.iterative_scan = 'relaxed_order'")
        plan = str(await connection.fetchval(f"EXPLAIN (FORMAT JSON) {statement}", far, "m", 10))
    assert "documents_2022_hnsw_8" in plan
    assert "Incremental Sort" not in plan


async def test_the_vector_of_a_text_without_known_words_is_never_near(
    documents: DocumentRepository, embeddings: EmbeddingRepository, searches: SearchRepository
) -> None:
    """A zero vector, stored or asked for, is no candidate."""
    await documents.save([Draft("zero", "🇨🇴", "x"), Draft("one", "Salud", "x")])
    zero, one = sorted(await embeddings.pending(2, 100), key=lambda item: item.key[0] == "one")
    await embeddings.set_embeddings([zero, one], Embeddings("m", 8, [[0.0] * 8, [1.0] + [0.0] * 7]))
    found = await searches.dense([1.0] + [0.0] * 7, "m", ALL, 5)
    assert [candidate.key[0] for candidate in found] == ["one"]
    assert await searches.dense([0.0] * 8, "m", ALL, 5) == []
