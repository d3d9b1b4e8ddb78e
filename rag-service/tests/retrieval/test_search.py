"""Hybrid search on a real PostgreSQL: words, meaning, filters, time."""

from __future__ import annotations

import math
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest

from castor_chassis import Postgres
from rag_service.documents.model import Draft, Filters, Pending
from rag_service.documents.repository import DocumentStore, Embeddings
from rag_service.retrieval.repository import SearchStore
from rag_service.retrieval.service import Hit, fused, without_copies

if TYPE_CHECKING:
    from conftest import World

NOW = datetime(2100, 1, 1, tzinfo=UTC)
ALL = Filters(as_of=NOW)


def _ids(found: Any) -> list[str]:
    return [item["document"]["id"] for item in found["data"]["items"]]


@pytest.mark.parametrize("query", ["votación", "votacion", "VOTACIONES", "votaciones"])
async def test_accents_and_endings_do_not_matter(store: DocumentStore, search_store: SearchStore, query: str) -> None:
    """A word is found with and without its accent, in singular and plural."""
    await store.save([Draft("d1", "La votación será el domingo.", "x"), Draft("d2", "Llueve en Pasto.", "x")])
    assert [candidate.key[0] for candidate in await search_store.lexical(query, ALL, 5)] == ["d1"]


async def test_rare_words_weigh_more_than_common_ones(store: DocumentStore, search_store: SearchStore) -> None:
    """Of a question's words the one that few documents have decides."""
    common = [Draft(f"c{n}", f"El candidato habló, el candidato saludó, candidato {n}.", "x") for n in range(30)]
    await store.save([*common, Draft("rare", "Un candidato propone fracking cero en el páramo.", "x")])
    found = await search_store.lexical("¿Qué candidato habla de fracking?", ALL, 5)
    assert found[0].key[0] == "rare"
    assert len(found) == 5


@pytest.mark.parametrize("query", ["'; DROP TABLE documents; --", "a\\' | !b & <-> (", "¿¡…!?", "de la que", "🇨🇴"])
async def test_any_text_is_a_query(store: DocumentStore, search_store: SearchStore, query: str) -> None:
    """No characters of a query reach PostgreSQL as query syntax."""
    await store.save([Draft("d1", "Nada en común.", "x")])
    assert await search_store.lexical(query, ALL, 5) == []


async def test_a_paraphrase_is_found_by_meaning_and_words_by_words(world: World) -> None:
    """A document that shares no word with the question is found, and each hit says which way it was found."""
    await world.upload(
        {"id": "salud", "text": "Más clínicas y médicos para el pueblo."},
        {"id": "gas", "text": "Explotaremos el gas del Caribe."},
        {"id": "campo", "text": "Títulos de tierra para campesinos."},
    )
    await world.indexed()
    found = await world.call("POST", "/v1/rag/search", {"query": "hospitales", "limit": 1})
    (hit,) = found["data"]["items"]
    assert hit["document"]["id"] == "salud"
    assert (hit["lexical_rank"], hit["dense_rank"]) == (None, 1)
    assert hit["similarity"] > 0.9
    found = await world.call("POST", "/v1/rag/search", {"query": "titulos de tierra"})
    assert _ids(found)[0] == "campo"
    assert found["data"]["items"][0]["lexical_rank"] == 1
    assert "degraded" not in found["meta"] or found["meta"]["degraded"] is None


async def test_filters_all_hold(world: World) -> None:
    """Source, author, entity and time each leave out what they should, together too."""
    await world.upload(
        {"id": "a", "author": "Ana", "entities": ["petro"], "published_at": "2022-01-01T00:00:00Z"},
        {"id": "b", "author": "ana", "entities": ["fico", "petro"], "published_at": "2022-02-01T00:00:00Z"},
        {"id": "c", "author": "luz", "entities": ["fico"], "published_at": "2022-03-01T00:00:00Z", "source": "prensa"},
        text="Debate sobre impuestos.",
    )
    await world.indexed()

    async def found(**filters: str) -> list[str]:
        body = {"query": "debate impuestos", "filters": filters}
        return sorted(_ids(await world.call("POST", "/v1/rag/search", body)))

    assert await found() == ["a", "b", "c"]
    assert await found(source="prensa") == ["c"]
    assert await found(author="@ANA") == ["a", "b"]
    assert await found(entity="fico") == ["b", "c"]
    assert await found(since="2022-02-01T00:00:00Z") == ["b", "c"]
    assert await found(until="2022-02-01T00:00:00Z") == ["a"]
    assert await found(author="ana", entity="fico", since="2022-01-15T00:00:00-05:00") == ["b"]
    assert await found(author="nadie") == []


async def test_as_of_shows_the_past_as_it_was(world: World) -> None:
    """What was published after ``as_of`` changes neither the hits nor their scores."""
    await world.upload({"id": "old", "text": "Reforma tributaria", "published_at": "2021-12-31T23:59:59Z"})
    await world.indexed()
    body = {"query": "reforma tributaria", "as_of": "2022-01-01T00:00:00Z"}
    before = await world.call("POST", "/v1/rag/search", body)
    await world.upload(
        *({"id": f"new{n}", "text": "Reforma tributaria", "published_at": "2022-06-01T00:00:00Z"} for n in range(9))
    )
    await world.indexed()
    after = await world.call("POST", "/v1/rag/search", body)
    assert after == before
    assert _ids(after) == ["old"]
    assert after["meta"]["as_of"] == "2022-01-01T00:00:00Z"
    assert len(_ids(await world.call("POST", "/v1/rag/search", {"query": "reforma tributaria"}))) == 10


def _at(angle: float) -> list[float]:
    return [math.cos(angle), math.sin(angle), 0, 0, 0, 0, 0, 0]


FAR = _at(2.2)


async def _vectors(store: DocumentStore, count: int) -> list[Draft]:
    """Store ``count`` documents of 2022 along an arc of one radian; every fortieth is by 'rara'.

    ``FAR`` lies beyond its end, where the cosine changes faster than half precision rounds.
    """
    day = datetime(2022, 1, 1, tzinfo=UTC)
    drafts = [
        Draft(f"d{n:04}", f"Texto {n}", "x", day + timedelta(hours=n), author="rara" if n % 40 == 0 else "otra")
        for n in range(count)
    ]
    await store.save(drafts)
    pending = [
        Pending((draft.id, draft.published_at), draft.content_hash, draft.text)
        for draft in drafts
        if draft.published_at
    ]
    spread = [_at(n / count) for n in range(count)]
    await store.set_embeddings(pending, Embeddings("m", 8, spread))
    return drafts


async def test_a_selective_filter_returns_full_results(store: DocumentStore, search_store: SearchStore) -> None:
    """With an approximate index and a filter of 2.5 %, all ten nearest of those that fit are found, in order."""
    await _vectors(store, 600)
    assert await search_store.ensure_indexes() == 1
    found = await search_store.dense(FAR, "m", Filters(as_of=NOW, author="rara"), 10)
    assert [candidate.key[0] for candidate in found] == [f"d{n:04}" for n in range(560, 160, -40)]
    everything = await search_store.dense(FAR, "m", ALL, 10)
    assert [candidate.key[0] for candidate in everything] == [f"d{n:04}" for n in range(599, 589, -1)]


async def test_a_wide_filter_on_the_index_returns_full_results(store: DocumentStore, search_store: SearchStore) -> None:
    """A filter that leaves more than can be compared one by one goes on along the index until it has enough."""
    drafts = await _vectors(store, 600)
    await search_store.ensure_indexes()
    early = Filters(as_of=NOW, until=drafts[100].published_at)
    found = await search_store.dense(FAR, "m", early, 10)
    assert [candidate.key[0] for candidate in found] == [f"d{n:04}" for n in range(99, 89, -1)]


async def test_the_index_serves_the_approximate_search(
    store: DocumentStore, search_store: SearchStore, postgres: Postgres
) -> None:
    """The statement that is sent can use the index that is built: the planner chooses it when scans are dear."""
    await _vectors(store, 600)
    await search_store.ensure_indexes()
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


async def test_an_index_of_another_dimension_is_replaced(
    store: DocumentStore, search_store: SearchStore, postgres: Postgres
) -> None:
    """After EMBEDDING_DIMENSIONS changes, the old index is dropped; a second look changes nothing."""
    await _vectors(store, 60)
    assert await search_store.ensure_indexes() == 1
    assert await search_store.ensure_indexes() == 1
    other = SearchStore(postgres, dimensions=9, exact_rows=50)
    assert await other.ensure_indexes() == 0
    names = "SELECT count(*) FROM pg_indexes WHERE indexname LIKE '%hnsw%'"
    assert await postgres.fetchval(names) == 0


async def test_the_vector_of_a_text_without_known_words_is_never_near(
    store: DocumentStore, search_store: SearchStore
) -> None:
    """A zero vector, stored or asked for, is no candidate."""
    await store.save([Draft("zero", "🇨🇴", "x"), Draft("one", "Salud", "x")])
    zero, one = sorted(await store.pending(2, 100), key=lambda item: item.key[0] == "one")
    await store.set_embeddings([zero, one], Embeddings("m", 8, [[0.0] * 8, [1.0] + [0.0] * 7]))
    found = await search_store.dense([1.0] + [0.0] * 7, "m", ALL, 5)
    assert [candidate.key[0] for candidate in found] == ["one"]
    assert await search_store.dense([0.0] * 8, "m", ALL, 5) == []


def test_fusion_is_the_sum_of_reciprocal_ranks() -> None:
    """1 / (60 + rank) over the rankings that have the document."""
    a, b = ("a", NOW), ("b", NOW)
    assert fused({a: 1, b: 2}, {b: 1}) == {a: 1 / 61, b: 1 / 62 + 1 / 61}


async def test_copies_of_a_better_document_are_left_out(store: DocumentStore, search_store: SearchStore) -> None:
    """Retweets and chains count once; another statement on the subject stays."""
    texts = [
        "La reforma pensional protege a los abuelos de Colombia hoy",
        "RT @ana: La reforma pensional protege a los abuelos de Colombia hoy https://t.co/x1",
        "LA REFORMA PENSIONAL protege a los abuelos de Colómbia hoy!!!",
        "La reforma pensional quiebra a los abuelos",
    ]
    await store.save([Draft(f"d{n}", text, "x", NOW) for n, text in enumerate(texts)])
    documents = await search_store.documents([(f"d{n}", NOW) for n in range(4)])
    hits = [Hit(documents[f"d{n}", NOW], 1.0, 1, None, None) for n in range(4)]
    assert [hit.document.id for hit in without_copies(hits)] == ["d0", "d3"]
