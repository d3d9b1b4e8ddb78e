"""Another embedding model: documents are embedded anew, and found by meaning all the while."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from rag_service.documents.model import Draft
from rag_service.documents.repository import DocumentRepository
from rag_service.embeddings.model import Embeddings, Space
from rag_service.embeddings.repository import EmbeddingRepository
from rag_service.retrieval.model import Filters, Found
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


async def test_a_change_during_a_change_keeps_what_most_are_of(
    documents: DocumentRepository, embeddings: EmbeddingRepository, searches: SearchRepository
) -> None:
    """A third model replaces the second; back at the first there is nothing to change any more."""
    await _half_changed(documents, embeddings)
    await embeddings.adopt("third", 4)
    assert await searches.spaces() == [Space("third", 4), Space("m", 8)]
    await embeddings.adopt("m", 8)
    assert await searches.spaces() == [Space("m", 8)]


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
