"""The feed becomes documents exactly once."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, cast

import asyncpg
import pytest

from rag_service.clients.twitter import TweetChange, TwitterFeed
from rag_service.documents.model import Draft
from rag_service.documents.repository import DocumentRepository
from rag_service.embeddings.repository import EmbeddingRepository
from rag_service.errors import CursorMoved
from rag_service.ingest.feed_consumer import FeedConsumer, draft_of
from rag_service.ingest.feed_traffic import FeedTraffic

if TYPE_CHECKING:
    from conftest import World

LABELLED = {"positive": 0.1, "neutral": 0.2, "negative": 0.7, "label": "negative", "model": "linear@1"}


def tweet(number: int, text: str, **fields: Any) -> TweetChange:
    """Return a change of a tweet as the feed tells it."""
    return TweetChange(id=str(number), username="ana", created_at=datetime(2022, 5, 1, tzinfo=UTC), text=text, **fields)


@pytest.fixture
def consumer(documents: DocumentRepository) -> FeedConsumer:
    """A consumer that is given its pages by the test."""
    return FeedConsumer(cast(TwitterFeed, None), documents, FeedTraffic(0))


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
    assert stored["published_at"] == "2022-05-10T12:00:00.000Z"
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


@pytest.mark.parametrize("left", ["", " \u2003\n"])
async def test_a_tweet_of_which_an_edit_left_a_picture_alone_is_no_document(
    consumer: FeedConsumer, embeddings: EmbeddingRepository, left: str
) -> None:
    """The words that it had before are not kept either."""
    await consumer.apply([tweet(1, "Borraré esto."), tweet(2, "Esto no.")], "2")
    await consumer.apply([tweet(1, left)], "3")
    assert (await embeddings.counts()).documents == 1


async def test_a_page_is_stored_with_its_cursor_or_not_at_all(
    consumer: FeedConsumer, documents: DocumentRepository, embeddings: EmbeddingRepository
) -> None:
    """A crash in the middle of a page leaves the cursor before it, and the page is stored whole next time."""
    await consumer.apply([tweet(1, "uno")], "1")
    broken = Draft(id="tweet:3", text="tres", source=None)  # type: ignore[arg-type]
    with pytest.raises(asyncpg.NotNullViolationError):
        await documents.apply_page([draft_of(tweet(2, "dos")), broken], [], 3)
    assert await documents.cursor() == "1"
    assert (await embeddings.counts()).documents == 1
    await consumer.apply([tweet(2, "dos"), tweet(3, "tres")], "3")
    assert (await documents.cursor(), (await embeddings.counts()).documents) == ("3", 3)


async def test_a_late_follower_cannot_undo_newer_changes(
    consumer: FeedConsumer, documents: DocumentRepository, embeddings: EmbeddingRepository
) -> None:
    """A replica that lost its lease and stores an old page is refused, and nothing of the page is stored."""
    await consumer.apply([tweet(1, "uno", sentiment=LABELLED)], "5")
    for stale in ("4", "5"):
        with pytest.raises(CursorMoved):
            await consumer.apply([tweet(1, "uno"), tweet(2, "dos")], stale)
    assert (await documents.document("tweet:1")).metadata["label"] == "negative"
    assert (await embeddings.counts()).documents == 1


async def test_two_followers_at_once_store_a_page_once(consumer: FeedConsumer, embeddings: EmbeddingRepository) -> None:
    """Of two replicas that store the same page at the same time one wins, and the other is told."""
    page = [tweet(number, f"texto {number}") for number in range(50)]
    outcomes = await asyncio.gather(*(consumer.apply(page, "50") for _ in range(2)), return_exceptions=True)
    assert sorted(type(outcome).__name__ for outcome in outcomes) == ["CursorMoved", "NoneType"]
    assert (await embeddings.counts()).documents == 50


@pytest.mark.parametrize(
    ("username", "text", "title"),
    [
        ("eva", "Eso no es cierto.", "Respuesta a @eva"),
        ("eva", "@evaristo eso no es cierto.", "Respuesta a @eva"),
        ("eva", "@Eva eso no es cierto.", None),
        (None, "Eso no es cierto.", None),
    ],
)
def test_a_reply_says_whom_it_answers(username: str | None, text: str, title: str | None) -> None:
    """By its title, which is indexed and embedded, unless its text says so; and by the document that it answers."""
    draft = draft_of(tweet(2, text, conversation_id="1", reply_to="1", reply_to_username=username))
    assert (draft.title, draft.conversation, draft.reply_to) == (title, "1", "tweet:1")
    assert draft.searched == (text if title is None else f"{title}\n{text}")


async def test_a_conversation_is_told_by_its_best_document(world: World) -> None:
    """On request search folds replies into the best of them, counts those that match, and forgets erased ones."""
    for number in range(1, 6):
        answers = {"reply_to": "1", "reply_to_username": "eva"} if number > 1 else {}
        world.feed.add(str(number), f"El hospital número {number}.", conversation_id="1", **answers)
    world.feed.add("6", "El hospital de otra conversación.", conversation_id="6", created_at="2022-05-11T12:00:00Z")
    world.feed.add("7", "Un hospital sin conversación.")
    await world.eventually(lambda: world.cursor_is("7"))

    async def found(**filters: str) -> dict[str, int]:
        body = {"query": "hospital", "fold_conversations": True, "filters": filters}
        items = (await world.call("POST", "/v1/rag/search", body))["data"]["items"]
        return {item["document"]["conversation"] or item["document"]["id"]: item["more"] for item in items}

    assert await found() == {"1": 4, "6": 0, "tweet:7": 0}
    assert await found(since="2022-05-11T00:00:00Z") == {"6": 0}
    reply = (await world.call("GET", "/v1/rag/documents/tweet:3"))["data"]
    assert (reply["reply_to"], reply["reply_to_author"], reply["title"]) == ("tweet:1", "eva", "Respuesta a @eva")
    world.feed.add("3", "", deleted=True)
    await world.eventually(lambda: world.cursor_is("8"))
    assert await found() == {"1": 3, "6": 0, "tweet:7": 0}
    every = await world.call("POST", "/v1/rag/search", {"query": "hospital"})
    assert [item["more"] for item in every["data"]["items"]] == [0] * 6
