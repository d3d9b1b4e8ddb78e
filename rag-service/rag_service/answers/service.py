"""Answers a question from the documents; only verified quotes are answered."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from rag_service.answers.citations import verify
from rag_service.answers.model import Answer, CitedPassage
from rag_service.answers.passages import Passage, fold_repeats
from rag_service.answers.positions import Overview, overview_of
from rag_service.answers.press_answer import (
    Silence,
    Survey,
    authors_are_named,
    nobody_spoke,
    press_answer,
    said_by,
)
from rag_service.answers.prompt import user_message
from rag_service.answers.quoting import Group, groups_with_quotes, nearness, surely_about
from rag_service.answers.relevance import Relevance, Vectors, relevance_of
from rag_service.clients.openai import ChatReply, OpenAIClient
from rag_service.documents.model import Document
from rag_service.metrics import ABSTENTIONS, CITATIONS, DEGRADED, QUARANTINED
from rag_service.questions.question import Question
from rag_service.retrieval.fusion import shared, without_near_duplicates
from rag_service.retrieval.model import Filters, Found
from rag_service.retrieval.service import RetrievalService
from rag_service.text.instructions import is_instruction
from rag_service.text.names import full_names
from rag_service.text.normal import searchable
from rag_service.text.terms import Term

InThread = Callable[..., Awaitable[Any]]
NOTHING_FOUND = "No hay documentos que respondan a la pregunta con esos filtros y en esa fecha."
NOT_ANSWERED = "Los documentos consultados no permiten responder a la pregunta con citas textuales."
SURVEYED = 150
"""So many documents are looked at for the positions on a question."""
MANY = 0.8
"""When this share of them is about the question, more may be."""
SENTENCES, FEWEST = 3, 2
"""Of each group so many sentences are compared by meaning, and no single one."""


@dataclass(frozen=True, slots=True)
class AnswerService:
    """Retrieves documents, asks the model with ``instructions`` as system prompt, verifies what it wrote.

    Without a model the answer consists of the positions that the documents take (``degraded: ["llm"]``).
    ``in_thread`` runs a function off the event loop, so that other requests go on while 150 documents are read.
    """

    retrieval: RetrievalService
    openai: OpenAIClient
    instructions: str
    in_thread: InThread

    async def answer(self, text: str, filters: Filters, limit: int) -> Answer:
        """Answer a question from documents that match ``filters``; the model is shown at most ``limit`` of them."""
        question, everything = await self.surveyed(Question.of(text, filters))
        found = await self.in_thread(_without_instructions, everything)
        answer = await self._answered(text, question, found, limit)
        return replace(answer, quarantined=len(everything.hits) - len(found.hits))

    async def _answered(self, text: str, question: Question, found: Found, limit: int) -> Answer:
        if not found.hits:
            ABSTENTIONS.labels("nothing_found").inc()
            return await self._of_silence(question, found, question.terms, found.degraded)
        different = await self.in_thread(without_near_duplicates, found.hits, limit)
        shown = [hit.document for hit in different]
        (relevance, overview), reply = await asyncio.gather(
            self._overview(question, found), self.openai.chat(self.instructions, user_message(text, shown))
        )
        degraded = found.degraded + (["llm"] if reply is None else reply.degraded or [])
        if reply is not None and "llm" not in degraded:
            return _counted(await self.in_thread(_of_model, text, reply, shown, overview, degraded))
        DEGRADED.labels("llm").inc()
        if overview is None or not overview.positions:
            return _counted(await self._of_silence(question, found, relevance.missing, degraded))
        return _counted(_of_positions(question, relevance, overview, len(found.hits), degraded))

    async def _of_silence(
        self, question: Question, found: Found, missing: Sequence[Term], degraded: list[str]
    ) -> Answer:
        """Answer that nothing was found of ``missing``, or of all that is asked; in whose words, if not all were looked
        at; and what of it stands in the words of others."""
        by = {hit.document.author: said_by(hit.document) for hit in found.hits}
        speakers = [by.get(author, author) for author in found.speakers]
        terms, missing = ([t for t in some if not (speakers and t.speaker)] for some in (question.terms, missing))
        words = [term.word for term in missing]
        everybody = replace(question.filters, author=None)
        seen = await self.retrieval.frequencies(words, everybody) if speakers and words else {}
        silence = Silence(missing, terms, speakers, [term for term in missing if seen.get(term.word)])
        return Answer(nobody_spoke(silence, question.filters), [], len(found.hits), degraded, [], words)

    async def surveyed(self, question: Question) -> tuple[Question, Found]:
        """Return what is looked at for ``question``, of those alone whose words it asks for, and what it asks them."""
        found = await self.retrieval.search(question.text, question.filters, SURVEYED)
        if not found.speakers:
            return question, found
        narrowed = question.of_speakers(found.speakers)
        each = [replace(question.filters, author=author) for author in found.speakers]
        theirs = await asyncio.gather(*(self.retrieval.search(narrowed.text, one, SURVEYED) for one in each))
        hits = shared([one.hits for one in theirs], SURVEYED)
        degraded = dict.fromkeys(part for one in (found, *theirs) for part in one.degraded)
        return narrowed, Found(hits, list(degraded), found.speakers)

    async def _overview(self, question: Question, found: Found) -> tuple[Relevance, Overview | None]:
        words, documents = [term.word for term in question.terms], [hit.document for hit in found.hits]
        frequencies, vectors = await asyncio.gather(
            self.retrieval.frequencies(words, question.filters),
            self.retrieval.vectors(documents, question.filters.access),
        )
        relevance, passages = await self.in_thread(_about, question, found, frequencies, vectors)
        if not passages:
            return relevance, None
        copies = await self._copies(passages, question.filters, found.speakers)
        for passage in passages:
            passage.copies = passage.beside_those_found(copies)
        known = {document.id: vector for document, vector in zip(documents, vectors, strict=True)}
        of_passages = [known[passage.document.id] for passage in passages]
        compared = len(found.speakers) > 1
        passages, groups = await self.in_thread(_grouped, passages, question, of_passages, compared=compared)
        near = {} if found.degraded else await self._nearness(question.text, groups)
        return relevance, await self.in_thread(overview_of, passages, groups, near, question)

    async def _copies(
        self, passages: Sequence[Passage], filters: Filters, speakers: Sequence[str]
    ) -> Mapping[str | None, int]:
        """Return how many documents of the same words are stored, of the ``speakers`` alone where there are any."""
        documents = [document for passage in passages for document in passage.documents]
        scopes = [replace(filters, author=author) for author in speakers] or [filters]
        stored: Counter[str | None] = Counter()
        for copies in await asyncio.gather(*(self.retrieval.copies(documents, scope) for scope in scopes)):
            stored.update(copies)
        return stored

    async def _nearness(self, question: str, groups: Sequence[Group]) -> dict[str, float]:
        best = [one for group in groups for one in group.likeliest(SENTENCES)]
        texts = list(dict.fromkeys(one.citation.quote for one in best if one.vector is None))
        if not any(group.centre for group in groups) or len(best) < FEWEST:
            return {}
        if not texts:
            return nearness(groups, None, {})
        asked, embedded = await asyncio.gather(
            self.retrieval.encoder.embed_query(question),
            self.retrieval.encoder.embed_now([searchable(text) for text in texts]),
        )
        if asked is None or embedded is None or asked.model != embedded.model:
            return {}
        return nearness(groups, asked.vectors[0], dict(zip(texts, embedded.vectors, strict=True)))


def _about(
    question: Question, found: Found, frequencies: Mapping[str, int], vectors: Vectors
) -> tuple[Relevance, list[Passage]]:
    everything = relevance_of(question.terms, frequencies, found.hits, vectors, full_names(question.text))
    relevance = everything.of_tone(question.tone).of_form(question.form, question.terms)
    return relevance, fold_repeats(relevance.hits, relevance.chances)


def _grouped(
    passages: Sequence[Passage], question: Question, vectors: Vectors, *, compared: bool
) -> tuple[list[Passage], list[Group]]:
    groups = groups_with_quotes(passages, question, vectors, compared=compared)
    return surely_about(passages, groups, compared=compared)


def _without_instructions(found: Found) -> Found:
    kept = [hit for hit in found.hits if not is_instruction(hit.document.text)]
    QUARANTINED.inc(len(found.hits) - len(kept))
    return replace(found, hits=kept)


def _of_positions(
    question: Question, relevance: Relevance, overview: Overview, considered: int, degraded: list[str]
) -> Answer:
    missing = [term.word for term in relevance.missing]
    passages = [
        CitedPassage(citation, overview.passages[citation.id].document, overview.passages[citation.id].same)
        for position in overview.positions
        for citation in position.quotes
    ]
    nearest = considered if considered >= MANY * SURVEYED else None
    complete = len(relevance.hits) < MANY * SURVEYED
    survey = Survey(nearest, complete, relevance.tone, relevance.form, relevance.formless)
    text = press_answer(overview, question.filters, survey)
    named = overview.ids if authors_are_named(overview) else []
    return Answer(text, passages, considered, degraded, overview.positions, missing, named=named)


def _of_model(
    question: str, reply: ChatReply, shown: Sequence[Document], overview: Overview | None, degraded: list[str]
) -> Answer:
    by_id = {document.id: document for document in shown}
    texts = {name: document.text for name, document in by_id.items()}
    authors = {name: document.author for name, document in by_id.items() if document.author}
    verified = verify(reply.text or "", texts, question, authors)
    CITATIONS.labels("removed").inc(verified.removed)
    if not verified.citations:
        return Answer(NOT_ANSWERED, [], len(shown), degraded)
    positions = overview.positions if overview else []
    same = {name: passage.same for name, passage in overview.passages.items()} if overview else {}
    passages = [CitedPassage(cited, by_id[cited.id], same.get(cited.id, 0)) for cited in verified.citations]
    return Answer(verified.text, passages, len(shown), degraded, positions)


def _counted(answer: Answer) -> Answer:
    CITATIONS.labels("kept").inc(len(answer.passages))
    if answer.abstained:
        ABSTENTIONS.labels("nothing_proved").inc()
    return answer
