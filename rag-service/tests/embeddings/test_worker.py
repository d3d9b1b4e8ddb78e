"""Documents get their vectors, whatever happens to the encoder."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import pytest

from castor_chassis import PeerRejected, ServiceError
from castor_chassis.testing import until
from rag_service.documents.model import Draft
from rag_service.documents.repository import DocumentRepository
from rag_service.embeddings import worker
from rag_service.embeddings.model import Embeddings
from rag_service.embeddings.repository import EmbeddingRepository
from rag_service.embeddings.worker import Embedder
from rag_service.errors import VectorNotFinite

if TYPE_CHECKING:
    from conftest import World


async def test_a_dead_encoder_delays_vectors_and_loses_nothing(world: World) -> None:
    """Documents are stored and searchable by words meanwhile; their vectors come when the encoder is back."""
    world.openai.down = True
    for number in range(5):
        world.feed.add(str(number), f"Pensión digna para el barrio {number}.")
    await world.eventually(lambda: world.cursor_is("5"))
    status = (await world.call("GET", "/v1/rag/status"))["data"]
    assert (status["documents"], status["embedded"], status["pending"]) == (5, 0, 5)
    found = await world.call("POST", "/v1/rag/search", {"query": "pension digna"})
    assert len(found["data"]["items"]) == 5
    assert found["meta"]["degraded"] == ["embeddings"]
    world.openai.down = False
    assert (await world.indexed())["embedded"] == 5


async def test_one_refused_text_does_not_hold_up_the_others(world: World) -> None:
    """A text that the encoder refuses is set aside, the rest of its batch is embedded."""
    world.openai.refuses = "ilegible"
    await world.upload(*({"id": f"d{n}", "text": f"Escuela {n}" if n != 3 else "Texto ilegible"} for n in range(9)))
    status = await world.indexed()
    assert (status["embedded"], status["refused"], status["pending"]) == (8, 1, 0)
    await world.upload({"id": "d3", "text": "Texto corregido"})
    status = await world.indexed()
    assert (status["embedded"], status["refused"]) == (9, 0)


async def test_a_new_model_embeds_everything_anew(world: World) -> None:
    """When another model answers, older rows become pending and are replaced."""
    await world.upload({"id": "d1", "text": "Gas y petróleo."}, {"id": "d2", "text": "Más maestros."})
    await world.indexed()
    world.openai.model = "hand-made-2"
    await world.upload({"id": "d3", "text": "Tierra para campesinos."})

    async def all_new() -> bool:
        status = (await world.call("GET", "/v1/rag/status"))["data"]
        return bool(status["model"] == "hand-made-2" and status["embedded"] == 3)

    await world.eventually(all_new)
    assert (await world.call("GET", "/v1/rag/documents/d1"))["data"]["embedding_model"] == "hand-made-2"


async def test_a_new_version_is_noticed_without_a_new_document(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """An idle index asks who embeds now; another version of the model has every document embedded again."""
    await world.upload({"id": "d1", "text": "Gas y petróleo."})
    await world.indexed()
    world.openai.version = "2.0.0"
    monkeypatch.setattr(worker, "MODEL_CHECK_SECONDS", 0.1)

    async def all_new() -> bool:
        status = (await world.call("GET", "/v1/rag/status"))["data"]
        return bool(status["model"] == "hand-made-1@2.0.0" and status["embedded"] == 1)

    await world.eventually(all_new)
    assert world.openai.embedded.count("Gas y petróleo.") == 2


async def test_documents_are_passages_and_searches_queries(world: World) -> None:
    """The encoder is told what each text is for."""
    await world.upload({"id": "d1", "text": "Más maestros para el colegio."})
    await world.indexed()
    await world.call("POST", "/v1/rag/search", {"query": "educación"})
    assert world.openai.roles == {("Más maestros para el colegio.", "passage"), ("educación", "query")}


async def test_vectors_of_another_length_are_not_stored(world: World) -> None:
    """A wrong EMBEDDING_DIMENSIONS leaves documents pending and searches by words, instead of breaking them."""
    world.openai.dimensions = 5
    await world.upload({"id": "d1", "text": "Reforma tributaria estructural."})
    found = await world.call("POST", "/v1/rag/search", {"query": "reforma tributaria"})
    assert found["meta"]["degraded"] == ["embeddings"]
    assert [hit["document"]["id"] for hit in found["data"]["items"]] == ["d1"]
    assert (await world.call("GET", "/v1/rag/status"))["data"]["pending"] == 1


class Counting:
    """An encoder that notes how many texts it was asked for in each call."""

    def __init__(self) -> None:
        self.sizes: list[int] = []

    async def embed(self, texts: list[str]) -> Embeddings:
        self.sizes.append(len(texts))
        return Embeddings("counting", 256, [[0.0625] * 256 for _ in texts])


async def test_documents_are_embedded_in_full_batches(
    documents: DocumentRepository, embeddings: EmbeddingRepository
) -> None:
    """The encoder, which is what takes long, is asked as seldom as the size of a batch allows."""
    counting = Counting()
    drafts = [Draft(f"d{number}", f"Documento número {number} sobre salud pública.", "x") for number in range(1000)]
    await documents.save(drafts)
    embedder = Embedder(embeddings, counting, batch=128, concurrency=2)
    while await embedder.step():
        pass
    assert (await embeddings.counts()).embedded == 1000
    assert sorted(counting.sizes, reverse=True) == [128] * 7 + [1000 - 7 * 128]


NO_VECTOR = [
    VectorNotFinite(reason="null"),
    PeerRejected(peer="openai-service", peer_status=422, peer_error="no vector", peer_code="text_not_embedded"),
]


@pytest.mark.parametrize("others", [0, 8])
@pytest.mark.parametrize("error", NO_VECTOR, ids=lambda error: error.code)
async def test_a_text_that_has_no_vector_does_not_hold_up_the_others(
    documents: DocumentRepository, embeddings: EmbeddingRepository, error: ServiceError, others: int
) -> None:
    """A text of which the model makes no numbers is set aside, whoever notices it, and also when it waits alone."""

    class Sick(Counting):
        async def embed(self, texts: list[str]) -> Embeddings:
            if "Texto enfermo" in texts:
                raise error
            return await super().embed(texts)

    texts = ["Texto enfermo", *(f"Escuela {n}" for n in range(others))]
    await documents.save([Draft(f"d{n}", text, "x") for n, text in enumerate(texts)])
    embedder = Embedder(embeddings, Sick(), batch=128, concurrency=1)
    while await embedder.step():
        pass
    counts = await embeddings.counts()
    assert (counts.embedded, counts.refused) == (others, 1)


REFUSED = PeerRejected(peer="openai-service", peer_status=422, peer_error="unreadable", peer_code="validation_error")


@pytest.mark.parametrize("error", [*NO_VECTOR, REFUSED], ids=["null", "no vector", "unreadable"])
async def test_no_text_is_blamed_for_an_encoder_that_embeds_none(
    documents: DocumentRepository, embeddings: EmbeddingRepository, error: ServiceError
) -> None:
    """A model, or a request, that fails for every text is told of, and all documents wait."""

    class Broken(Counting):
        async def embed(self, _texts: list[str]) -> Embeddings:
            raise error

    await documents.save([Draft(f"d{n}", f"Escuela {n}", "x") for n in range(3)])
    with pytest.raises(type(error)):
        await Embedder(embeddings, Broken(), batch=128, concurrency=1).step()
    counts = await embeddings.counts()
    assert (counts.pending, counts.refused) == (3, 0)


async def test_a_text_without_a_vector_is_set_aside_beside_one_that_is_refused(
    documents: DocumentRepository, embeddings: EmbeddingRepository
) -> None:
    """Only the model's word on a text counts where nothing of a batch was embedded; the other text waits."""

    class Both(Counting):
        async def embed(self, texts: list[str]) -> Embeddings:
            if "Texto ilegible" in texts:
                raise REFUSED
            if "Texto enfermo" in texts:
                raise NO_VECTOR[1]
            return await super().embed(texts)

    await documents.save([Draft("d1", "Texto enfermo", "x"), Draft("d2", "Texto ilegible", "x")])
    with pytest.raises(PeerRejected):
        await Embedder(embeddings, Both(), batch=128, concurrency=1).step()
    counts = await embeddings.counts()
    assert (counts.pending, counts.refused) == (1, 1)


async def test_documents_wait_while_something_else_goes_first(
    documents: DocumentRepository, embeddings: EmbeddingRepository, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nothing is embedded while the worker has to yield, and everything as soon as it need not."""
    monkeypatch.setattr(worker, "IDLE_SECONDS", 0.01)
    counting, waits = Counting(), [True] * 5

    def yields() -> bool:
        assert not (waits and counting.sizes)
        return bool(waits) and waits.pop()

    await documents.save([Draft("d1", "Salud pública.", "x")])
    running = asyncio.ensure_future(Embedder(embeddings, counting, batch=128, concurrency=2, yields=yields).run())

    async def is_embedded() -> bool:
        return (await embeddings.counts()).embedded == 1

    await until(is_embedded)
    running.cancel()
    assert waits == []
