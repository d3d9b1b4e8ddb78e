"""Another embedding model: documents are embedded anew, and found by meaning all the while."""

from __future__ import annotations

import asyncio
from dataclasses import astuple, dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import pytest

from castor_chassis import Postgres
from rag_service.documents.model import Access, Draft
from rag_service.documents.repository import DocumentRepository
from rag_service.documents.tenant_repository import TenantDocumentRepository
from rag_service.embeddings.model import Embeddings, Space
from rag_service.embeddings.repository import EmbeddingRepository
from rag_service.retrieval.model import Candidate, Filters, Found
from rag_service.retrieval.repository import SearchRepository
from rag_service.retrieval.service import RetrievalService

if TYPE_CHECKING:
    from conftest import World

DAY = datetime(2022, 5, 1, tzinfo=UTC)
ONE, TWO = [1.0] + [0.0] * 7, [0.0, 0.0, 1.0, 0.0]


@dataclass
class TwoModels:
    """An encoder of queries by the model 'new' of four dimensions, and by 'm' of eight while that is kept."""

    keeps_old: bool = True

    async def embed_query(self, _text: str) -> Embeddings:
        """As the model of today."""
        return Embeddings("new", 4, [TWO])

    async def embed_query_in(self, space: Space, _text: str) -> Embeddings | None:
        """As the model before."""
        return Embeddings("m", 8, [ONE]) if self.keeps_old and space == Space("m", 8) else None


async def _half_changed(documents: DocumentRepository, embeddings: EmbeddingRepository) -> None:
    await documents.save([Draft(f"d{number}", f"Texto {number}", "x", DAY) for number in range(6)])
    waiting = await embeddings.pending(9, 100)
    await embeddings.set_embeddings(waiting, Embeddings("m", 8, [ONE] * 6))
    await embeddings.adopt("new", 4)
    await embeddings.set_embeddings((await embeddings.pending(9, 100))[:3], Embeddings("new", 4, [TWO] * 3))


async def test_half_of_the_vectors_are_another_models_and_all_are_found(
    documents: DocumentRepository, embeddings: EmbeddingRepository, searches: SearchRepository
) -> None:
    """Each document is found by the model that embedded it; with the old model gone the answer says what it lacks."""
    await _half_changed(documents, embeddings)
    assert (await embeddings.counts()).changing_from == "m"

    async def found(encoder: TwoModels) -> Found:
        return await RetrievalService(searches, encoder).search("qqq", Filters(as_of=datetime.now(UTC)), 10)

    both = await found(TwoModels())
    assert (len(both.hits), both.degraded) == (6, [])
    assert all(hit.dense_rank and hit.similarity and hit.similarity > 0.99 for hit in both.hits)
    alone = await found(TwoModels(keeps_old=False))
    assert (len(alone.hits), alone.degraded) == (3, ["embeddings"])
    await embeddings.end_change()
    assert await searches.spaces() == [Space("new", 4), Space("m", 8)]
    await embeddings.set_embeddings(await embeddings.pending(9, 100), Embeddings("new", 4, [TWO] * 3))
    await embeddings.end_change()
    assert await searches.spaces() == [Space("new", 4)]
    assert (len((await found(TwoModels())).hits), (await embeddings.counts()).changing_from) == (6, None)


async def test_what_is_embedded_anew_between_the_two_searches_is_found(
    documents: DocumentRepository,
    embeddings: EmbeddingRepository,
    searches: SearchRepository,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The documents of the model before get their new vectors when the first search has ended: none is missed."""
    await _half_changed(documents, embeddings)
    search = searches.dense

    async def then_embedded(vector: list[float], model: str, filters: Filters, limit: int) -> list[Candidate]:
        found = await search(vector, model, filters, limit)
        waiting = await embeddings.pending(9, 100)
        await embeddings.set_embeddings(waiting, Embeddings("new", 4, [TWO] * len(waiting)))
        return found

    monkeypatch.setattr(searches, "dense", then_embedded)
    encoder: Any = TwoModels()
    found = await RetrievalService(searches, encoder).search("qqq", Filters(as_of=datetime.now(UTC)), 10)
    assert len(found.hits) == 6


async def _store(documents: DocumentRepository, number: int) -> None:
    await documents.save([Draft(f"d{place}", f"Texto {place}", "x", DAY) for place in range(number)])


async def _embed(embeddings: EmbeddingRepository, space: Space, number: int) -> None:
    """Store as many vectors, as the model of ``space``."""
    waiting = await embeddings.pending(number, 100)
    vectors = [[1.0] * space.dimensions] * len(waiting)
    await embeddings.set_embeddings(waiting, Embeddings(space.model, space.dimensions, vectors))


FIRST, SECOND, THIRD = Space("a", 8), Space("b", 4), Space("c", 4)


@pytest.mark.parametrize(("done", "last", "kept"), [(5, FIRST, SECOND), (5, THIRD, SECOND), (2, THIRD, FIRST)])
async def test_a_change_during_a_change_keeps_what_most_are_of(
    documents: DocumentRepository,
    embeddings: EmbeddingRepository,
    searches: SearchRepository,
    done: int,
    last: Space,
    kept: Space,
) -> None:
    """The second model did some of six documents when the first comes back, or a third: that of most is searched."""
    await _store(documents, 6)
    await _embed(embeddings, FIRST, 6)
    await embeddings.adopt(*astuple(SECOND))
    await _embed(embeddings, SECOND, done)
    await embeddings.adopt(*astuple(last))
    assert await searches.spaces() == [last, kept]


async def test_vectors_of_another_length_are_forgotten_with_their_length(
    documents: DocumentRepository, embeddings: EmbeddingRepository, searches: SearchRepository
) -> None:
    """A model changes its length, and then another comes: the first is searched with the length its vectors have."""
    await _store(documents, 2)
    await _embed(embeddings, Space("a", 8), 2)
    await embeddings.adopt("a", 6)
    assert await searches.spaces() == [Space("a", 6)]
    await _embed(embeddings, Space("a", 6), 2)
    await embeddings.end_change()
    await embeddings.adopt("b", 4)
    assert await searches.spaces() == [Space("b", 4), Space("a", 6)]


async def test_the_model_before_of_an_organisations_documents_is_kept(
    embeddings: EmbeddingRepository, searches: SearchRepository, postgres: Postgres
) -> None:
    """Where the feed has no documents those of organisations say which model is searched beside the new one."""
    owner = Access("b", ("analyst",), "user:bob")
    await TenantDocumentRepository(postgres).save(owner, "upload", [Draft("d1", "Escuelas", "x", DAY)])
    await _embed(embeddings, Space("a", 8), 1)
    await embeddings.adopt("b", 4)
    assert await searches.spaces() == [Space("b", 4), Space("a", 8)]


async def test_no_search_misses_a_document_while_all_are_embedded_anew(world: World) -> None:
    """From the last moment of one model to the first of the other every search finds the same document by meaning."""
    rows = [{"id": f"d{number}", "text": f"Escuela rural número {number}."} for number in range(150)]
    await world.upload({"id": "salud", "text": "Un hospital para el Chocó."}, *rows)
    await world.indexed()
    world.openai.earlier, world.openai.model = frozenset({"hand-made-1"}), "hand-made-2"
    await world.upload({"id": "new", "text": "Tierra para los campesinos."})
    seen: set[tuple[str, str | None]] = set()
    while ("hand-made-2", None) not in seen:
        answer = await world.call("POST", "/v1/rag/search", {"query": "clínica con médicos", "limit": 5})
        found = {hit["document"]["id"]: hit["dense_rank"] for hit in answer["data"]["items"]}
        assert (found.get("salud"), answer.get("meta", {}).get("degraded")) == (1, None)
        status = (await world.call("GET", "/v1/rag/status"))["data"]
        seen.add((status["model"], status["changing_from"]))
        await asyncio.sleep(0)
    assert ("hand-made-2", "hand-made-1") in seen
    assert status["embedded"] == len(rows) + 2
