"""The feed becomes documents exactly once, and documents get their vectors whatever happens to the encoder."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import pytest

from rag_service.clients.twitter import FeedTweet
from rag_service.documents.model import Draft, Pending
from rag_service.documents.repository import DocumentStore, Embeddings
from rag_service.embeddings import worker as indexing
from rag_service.embeddings.worker import Embedder, store_page
from rag_service.errors import CursorMoved

if TYPE_CHECKING:
    from conftest import World

LABELLED = {"positive": 0.1, "neutral": 0.2, "negative": 0.7, "label": "negative", "model": "linear@1"}


def tweet(number: int, text: str, **fields: Any) -> FeedTweet:
    """Return a change of a tweet as the feed tells it."""
    return FeedTweet(id=str(number), username="ana", created_at=datetime(2022, 5, 1, tzinfo=UTC), text=text, **fields)


async def test_each_tweet_becomes_one_document_with_its_facts(world: World) -> None:
    """All pages of the feed are stored, and the status says where it stands."""
    for number in range(8):
        world.feed.add(str(number), f"El colegio número {number} abrió.", sentiment=LABELLED)
    await world.eventually(lambda: world.cursor_is("8"))
    status = await world.indexed()
    assert (status["documents"], status["embedded"], status["model"]) == (8, 8, "hand-made-1")
    stored = (await world.call("GET", "/v1/rag/documents/tweet:3"))["data"]
    assert stored["source"] == "twitter"
    assert stored["author"] == "ana"
    assert stored["entities"] == ["petro"]
    assert stored["published_at"] == "2022-05-10T12:00:00Z"
    assert stored["metadata"] == {**LABELLED, "lang": "es"}


async def test_a_label_that_comes_later_costs_no_embedding(world: World) -> None:
    """The second entry of a tweet in the feed changes its metadata alone."""
    world.feed.add("1", "La policía llegó tarde.")
    await world.indexed()
    world.feed.add("1", "La policía llegó tarde.", sentiment=LABELLED)
    await world.eventually(lambda: world.cursor_is("2"))
    stored = (await world.call("GET", "/v1/rag/documents/tweet:1"))["data"]
    assert stored["metadata"]["label"] == "negative"
    assert stored["embedding_model"] == "hand-made-1"
    assert world.openai.embedded == ["La policía llegó tarde."]


async def test_a_deleted_tweet_is_erased(world: World) -> None:
    """What its author deleted is not kept here."""
    world.feed.add("1", "Borraré esto.")
    await world.indexed()
    world.feed.add("1", "", deleted=True, username="", entities=[])
    await world.eventually(lambda: world.cursor_is("2"))
    await world.call("GET", "/v1/rag/documents/tweet:1", status=404)


async def test_a_page_is_stored_with_its_cursor_or_not_at_all(store: DocumentStore) -> None:
    """A crash in the middle of a page leaves the cursor before it, and the page is stored whole next time."""
    await store_page(store, [tweet(1, "uno")], "1")
    broken = SimpleNamespace(id="3", deleted=False, draft=lambda: Draft(id="tweet:3", text="tres", source=None))  # type: ignore[arg-type]
    with pytest.raises(Exception, match="null value in column"):
        await store_page(store, [tweet(2, "dos"), broken], "3")
    assert await store.cursor() == "1"
    assert (await store.counts()).documents == 1
    await store_page(store, [tweet(2, "dos"), tweet(3, "tres")], "3")
    assert (await store.cursor(), (await store.counts()).documents) == ("3", 3)


async def test_a_late_follower_cannot_undo_newer_changes(store: DocumentStore) -> None:
    """A replica that lost its lease and stores an old page is refused, and nothing of the page is stored."""
    await store_page(store, [tweet(1, "uno", sentiment=LABELLED)], "5")
    for stale in ("4", "5"):
        with pytest.raises(CursorMoved):
            await store_page(store, [tweet(1, "uno"), tweet(2, "dos")], stale)
    assert (await store.document("tweet:1")).metadata["label"] == "negative"
    assert (await store.counts()).documents == 1


async def test_two_followers_at_once_store_a_page_once(store: DocumentStore) -> None:
    """Of two replicas that store the same page at the same time one wins, and the other is told."""
    page = [tweet(number, f"texto {number}") for number in range(50)]
    outcomes = await asyncio.gather(*(store_page(store, page, "50") for _ in range(2)), return_exceptions=True)
    assert sorted(type(outcome).__name__ for outcome in outcomes) == ["CursorMoved", "NoneType"]
    assert (await store.counts()).documents == 50


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
    monkeypatch.setattr(indexing, "MODEL_CHECK_SECONDS", 0.1)

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


async def test_a_change_of_dimensions_forgets_the_old_vectors(store: DocumentStore) -> None:
    """Rows of another length are marked for a new embedding even when the model kept its name."""
    await store.save([Draft("d1", "uno", "x"), Draft("d2", "dos", "x")])
    first, second = await store.pending(2, 100)
    await store.set_embeddings([first], Embeddings("m", 3, [[1.0, 0.0, 0.0]]))
    await store.set_embeddings([second], Embeddings("m", 2, [[1.0, 0.0]]))
    assert [item.key for item in await store.pending(9, 100)] == [first.key]


async def test_a_vector_of_an_older_text_is_dropped(store: DocumentStore) -> None:
    """A text that changed while the encoder worked on it stays pending."""
    await store.save([Draft("d1", "antes", "x")])
    (item,) = await store.pending(1, 100)
    await store.save([Draft("d1", "después", "x")])
    await store.set_embeddings([item], Embeddings("m", 2, [[1.0, 0.0]]))
    assert [entry.text for entry in await store.pending(1, 100)] == ["después"]


async def test_the_embedder_keeps_up_with_a_fast_encoder(store: DocumentStore) -> None:
    """Storing vectors does not slow a fast encoder below 500 documents a second."""

    class Fast:
        async def embed(self, texts: list[str]) -> Embeddings:
            return Embeddings("fast", 256, [[0.0625] * 256 for _ in texts])

    drafts = [Draft(f"d{number}", f"Documento número {number} sobre salud pública.", "x") for number in range(2000)]
    await store.save(drafts)
    embedder = Embedder(store, Fast(), batch=128, concurrency=2)
    started = asyncio.get_running_loop().time()
    while await embedder.step():
        pass
    seconds = asyncio.get_running_loop().time() - started
    assert (await store.counts()).embedded == 2000
    assert 2000 / seconds >= 500, f"{2000 / seconds:.0f} documents/s"


async def test_pending_texts_are_cut_for_the_encoder(store: DocumentStore) -> None:
    """The encoder gets the title and the beginning of a long text."""
    await store.save([Draft("d1", "x" * 500, "x", title="Programa")])
    (item,) = await store.pending(1, 100)
    assert isinstance(item, Pending)
    assert item.text == "Programa\n" + "x" * 100
