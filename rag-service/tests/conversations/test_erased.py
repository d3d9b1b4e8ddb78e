"""What is erased or replaced leaves the answers that conversations keep."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any, cast

import pytest

from castor_chassis import Postgres
from rag_service.answers.citations import Citation
from rag_service.answers.model import Answer, CitedPassage
from rag_service.conversations.repository import ConversationRepository
from rag_service.conversations.service import ConversationService
from rag_service.documents.access_repository import accessing
from rag_service.documents.missed_erasures_repository import forget_missed
from rag_service.documents.model import Access, Draft
from rag_service.documents.repository import DocumentRepository
from rag_service.documents.tenant_repository import TenantDocumentRepository
from rag_service.files.model import Upload
from rag_service.files.repository import FileRepository
from rag_service.retrieval.model import Filters

ANA, LUIS, OTHER = (Access(org, (), f"user:{name}") for org, name in (("a", "ana"), ("a", "luis"), ("b", "eva")))
TWEET, NOTE = Draft("tweet:1", "Un hospital.", "twitter"), Draft("nota", "Una escuela.", "notas")
FILE = Upload("plan", "text/plain", b"Un puente.", "programa")
PASSAGE = f"{FILE.id}:00001"


def answer(*cited: str) -> dict[str, Any]:
    """Return an answer as it is kept, which cites these documents."""
    return {
        "answer": "Dice \u00abUn hospital.\u00bb [1]",
        "citations": [{"id": name, "quote": "Un hospital."} for name in cited],
        "positions": [{"terms": ["hospital"], "citations": list(cited)}],
        "abstained": False,
        "missing": ["puente"],
    }


@pytest.fixture
async def stored(postgres: Postgres) -> Postgres:
    """A tweet, a document of each of two organisations and a file."""
    await DocumentRepository(postgres).save([TWEET])
    for access in (ANA, OTHER):
        await TenantDocumentRepository(postgres).save(access, "upload", [NOTE])
    files = FileRepository(postgres)
    await files.add(ANA, FILE)
    waiting = await files.next_unread()
    assert waiting is not None
    assert await files.store_passages(waiting[0], [Draft(PASSAGE, "Un puente.", FILE.source)], 1, 1)
    return postgres


async def kept(postgres: Postgres, access: Access, *cited: str) -> Callable[[], Awaitable[dict[str, Any]]]:
    """Keep an answer in a conversation; return what reads it."""
    conversations = ConversationRepository(postgres)
    name = (await conversations.begin(access, "Salud")).id
    await conversations.add(access, name, "¿Hospitales?", "¿Hospitales?", answer(*cited))

    async def read() -> dict[str, Any]:
        return (await conversations.conversation(access, name))[1][0].answer

    assert await read() == answer(*cited)
    return read


async def _by_feed(postgres: Postgres) -> None:
    await DocumentRepository(postgres).apply_page([], ["tweet:1", "tweet:7"], 5)


async def _by_id(postgres: Postgres) -> None:
    await TenantDocumentRepository(postgres).erase(LUIS, NOTE.id)


async def _by_source(postgres: Postgres) -> None:
    await TenantDocumentRepository(postgres).erase_source(LUIS, NOTE.source)


async def _with_its_file(postgres: Postgres) -> None:
    await FileRepository(postgres).erase(LUIS, FILE.id)


@pytest.mark.parametrize(
    ("erase", "gone"), [(_by_feed, TWEET.id), (_by_id, NOTE.id), (_by_source, NOTE.id), (_with_its_file, PASSAGE)]
)
async def test_what_is_erased_leaves_the_answers_that_cite_it(
    stored: Postgres, erase: Callable[[Postgres], Awaitable[None]], gone: str
) -> None:
    """Whoever erases it, no answer holds its words any more; answers of other documents stay as they are."""
    others = [name for name in (TWEET.id, NOTE.id, PASSAGE) if name != gone]
    citing, rest = await kept(stored, ANA, others[0], gone), await kept(stored, ANA, *others)
    theirs = await kept(stored, OTHER, NOTE.id)
    await erase(stored)
    blank = await citing()
    assert "borrado" in blank["answer"]
    assert {key: blank[key] for key in ("citations", "positions", "abstained", "missing")} == {
        "citations": [], "positions": [], "abstained": True, "missing": ["puente"],
    }  # fmt: skip
    assert await rest() == answer(*others)
    assert await theirs() == answer(NOTE.id)


async def test_a_tweet_that_is_erased_leaves_the_answers_of_every_organisation(stored: Postgres) -> None:
    """Tweets are shared, and so are their erasures."""
    read = await kept(stored, OTHER, TWEET.id)
    await _by_feed(stored)
    assert "Un hospital." not in str(await read())


@pytest.mark.parametrize("erase", [_by_feed, _by_id])
async def test_an_answer_is_not_kept_when_its_document_was_erased_meanwhile(
    stored: Postgres, erase: Callable[[Postgres], Awaitable[None]]
) -> None:
    """The model took its time; what it cites is not there any more."""
    await erase(stored)
    conversations = ConversationRepository(stored)
    name = (await conversations.begin(ANA, "Salud")).id
    turn = await conversations.add(ANA, name, "¿Y?", "¿Y?", answer(TWEET.id, NOTE.id))
    assert (turn.answer["citations"], "borrado" in turn.answer["answer"]) == ([], True)


def beside(cited: str, of_position: str) -> dict[str, Any]:
    """Return an answer in which a position cites another document than the text."""
    return {**answer(cited), "positions": [{"terms": ["hospital"], "citations": [of_position]}]}


@pytest.mark.parametrize("named", [True, False])
@pytest.mark.parametrize("erased_before", [True, False])
async def test_what_is_erased_leaves_positions_and_named_authors_too(
    stored: Postgres, *, named: bool, erased_before: bool
) -> None:
    """A document need not be quoted in the text to have its words, or its author's name, in an answer."""
    conversations = ConversationRepository(stored)
    name = (await conversations.begin(ANA, "Salud")).id
    if erased_before:
        await _by_feed(stored)
    told = answer(NOTE.id) if named else beside(NOTE.id, TWEET.id)
    await conversations.add(ANA, name, "¿Y?", "¿Y?", told, [TWEET.id] if named else [])
    if not erased_before:
        await _by_feed(stored)
    (_, turns) = await conversations.conversation(ANA, name)
    assert (turns[0].answer["citations"], turns[0].answer["positions"]) == ([], [])


async def test_what_another_release_erased_leaves_answers_later(stored: Postgres) -> None:
    """It erases documents alone; the answers are looked after once, those of what is stored stay."""
    gone, rest, theirs = (
        await kept(stored, ANA, NOTE.id), await kept(stored, ANA, TWEET.id), await kept(stored, OTHER, NOTE.id),
    )  # fmt: skip
    await forget_missed(stored)
    assert await gone() == answer(NOTE.id)
    async with accessing(stored, ANA) as connection:
        await connection.execute("DELETE FROM tenant_documents WHERE id = $1", NOTE.id)
    for _ in range(2):
        await forget_missed(stored)
        assert "Un hospital." not in str(await gone())
    assert (await rest(), await theirs()) == (answer(TWEET.id), answer(NOTE.id))


async def test_an_erasure_waits_for_an_answer_that_is_being_kept(stored: Postgres) -> None:
    """It finds the answer once that is stored, so that nothing slips between the two."""
    conversations = ConversationRepository(stored)
    name = (await conversations.begin(ANA, "Salud")).id
    async with stored.transaction() as connection:
        await connection.execute("SELECT id FROM documents WHERE id = $1 FOR KEY SHARE", TWEET.id)
        erasing = asyncio.create_task(_by_feed(stored))
        turn = await conversations.add(ANA, name, "¿Y?", "¿Y?", answer(TWEET.id))
        assert not erasing.done()
    assert turn.answer == answer(TWEET.id)
    await erasing
    (_, turns) = await conversations.conversation(ANA, name)
    assert turns[0].answer["citations"] == []


async def _edited(postgres: Postgres, **changes: Any) -> None:
    await DocumentRepository(postgres).apply_page([replace(TWEET, **changes)], [], 5)


async def _stored_again(postgres: Postgres, **changes: Any) -> None:
    note = replace(NOTE, **changes)
    await TenantDocumentRepository(postgres).save(replace(LUIS, roles=("prensa",)), "upload", [note])


@pytest.mark.parametrize(
    "changes", [{"text": "Un puente."}, {"title": "Respuesta a @eva"}, {"author": "eva"}, {"url": "https://x.com/eva"}]
)
@pytest.mark.parametrize(("change", "changed"), [(_edited, TWEET.id), (_stored_again, NOTE.id)])
async def test_what_is_replaced_leaves_the_answers_that_cite_it(
    stored: Postgres, change: Callable[..., Awaitable[None]], changed: str, changes: dict[str, str]
) -> None:
    """What an answer may hold of a document goes with it: its words, its title, its author, its address."""
    citing, rest = await kept(stored, ANA, changed), await kept(stored, ANA, PASSAGE)
    await change(stored, **changes)
    assert (await citing())["citations"] == []
    assert "cambiado" in (await citing())["answer"]
    assert await rest() == answer(PASSAGE)


async def test_newer_figures_of_an_analysis_leave_answers_as_they_are(stored: Postgres) -> None:
    """It holds nothing that people wrote; once it is erased, or for other readers, so is what answers hold of it."""
    documents, analysis = TenantDocumentRepository(stored), Draft("trend:1", "Un hospital.", "tendencias", title="T")
    await documents.save(ANA, "analysis", [analysis])
    read = await kept(stored, ANA, analysis.id)
    await documents.save(ANA, "analysis", [replace(analysis, text="Diez tuits.", url="/v1/trending/topics/x")])
    await forget_missed(stored)
    assert (await read())["citations"][0]["id"] == analysis.id
    await documents.erase(ANA, analysis.id)
    assert (await read())["citations"] == []


async def test_what_is_for_other_readers_now_leaves_the_answers_too(stored: Postgres) -> None:
    """Ana has not the role that reads it from now on."""
    read, theirs = await kept(stored, ANA, NOTE.id), await kept(stored, OTHER, NOTE.id)
    await _stored_again(stored, readers=["prensa"])
    assert "Un hospital." not in str(await read())
    assert await theirs() == answer(NOTE.id)


@pytest.mark.parametrize(
    ("change", "changed", "changes"),
    [
        (_edited, TWEET.id, {"metadata": {"label": "negative"}, "entities": ["petro"], "datasets": ["mayo"]}),
        (_stored_again, NOTE.id, {"metadata": {"p\u00e1gina": 2}, "entities": ["petro"]}),
        (_stored_again, NOTE.id, {}),
    ],
)
async def test_a_label_or_the_same_again_leaves_answers_as_they_are(
    stored: Postgres, change: Callable[..., Awaitable[None]], changed: str, changes: dict[str, Any]
) -> None:
    """Scores of tweets arrive for days; nothing that an answer says is about them."""
    read = await kept(stored, ANA, changed)
    await change(stored, **changes)
    assert await read() == answer(changed)


async def test_an_answer_is_not_kept_when_its_document_was_replaced_meanwhile(stored: Postgres) -> None:
    """The model was given the text before; one that says the same still does no harm."""
    read = [await DocumentRepository(stored).document(TWEET.id)]
    conversations = ConversationRepository(stored)
    name = (await conversations.begin(ANA, "Salud")).id
    same = await conversations.add(ANA, name, "¿Y?", "¿Y?", answer(TWEET.id), read=read)
    await _edited(stored, text="Un puente.")
    other = await conversations.add(ANA, name, "¿Y?", "¿Y?", answer(TWEET.id), read=read)
    assert (same.answer, other.answer["citations"]) == (answer(TWEET.id), [])


async def test_a_question_is_kept_with_the_documents_as_they_were_read(stored: Postgres) -> None:
    """A tweet is edited while the model writes: the answer says so instead of what it quoted."""

    class Slow:
        async def answer(self, *_: object) -> Answer:
            document = await DocumentRepository(stored).document(TWEET.id)
            await _edited(stored, text="Un puente.")
            return Answer("«Un hospital.»", [CitedPassage(Citation(TWEET.id, TWEET.text, 0, 12), document)], 1, [])

    service = ConversationService(ConversationRepository(stored), cast(Any, Slow()))
    name = (await service.begin(ANA, "Salud")).id
    turn, _ = await service.ask(name, "¿Y?", Filters(datetime.now(UTC), access=ANA), 12, lambda _: answer(TWEET.id))
    assert (turn.answer["citations"], turn.answer["positions"]) == ([], [])


async def test_a_replacement_waits_for_an_answer_that_is_being_kept(stored: Postgres) -> None:
    """It finds the answer once that is stored; a label does not wait."""
    conversations = ConversationRepository(stored)
    name = (await conversations.begin(ANA, "Salud")).id
    async with stored.transaction() as connection:
        await connection.execute("SELECT id FROM documents WHERE id = $1 FOR KEY SHARE", TWEET.id)
        await DocumentRepository(stored).apply_page([replace(TWEET, metadata={"label": "negative"})], [], 4)
        replacing = asyncio.create_task(_edited(stored, text="Un puente."))
        await conversations.add(ANA, name, "¿Y?", "¿Y?", answer(TWEET.id))
        assert not replacing.done()
    await replacing
    (_, turns) = await conversations.conversation(ANA, name)
    assert turns[0].answer["citations"] == []


@pytest.mark.parametrize("column", ["text", "title", "author"])
async def test_what_another_release_replaced_leaves_answers_later(stored: Postgres, column: str) -> None:
    """It changes documents alone; answers that hold what stands there still stay."""
    cited = {"id": NOTE.id, "quote": NOTE.text, "title": None, "author": None}
    conversations = ConversationRepository(stored)
    name = (await conversations.begin(ANA, "Salud")).id
    told = {**answer(NOTE.id), "citations": [cited]}
    await conversations.add(ANA, name, "¿Y?", "¿Y?", told)
    for change, holds in ((f"{column} = {column}", True), (f"{column} = 'Un puente.'", False)):
        async with accessing(stored, ANA) as connection:
            await connection.execute(f"UPDATE tenant_documents SET {change}, updated_at = now() WHERE id = $1", NOTE.id)
        await forget_missed(stored)
        (_, turns) = await conversations.conversation(ANA, name)
        assert (turns[0].answer == told) == holds
