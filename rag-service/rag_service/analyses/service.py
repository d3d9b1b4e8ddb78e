"""Answers questions; where one asks for a forecast or for trends, the analyses of other services come first."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, replace

from rag_service.analyses.selection import Kind, asked_kind, chosen
from rag_service.answers.citations import Citation
from rag_service.answers.model import Answer, CitedPassage
from rag_service.answers.service import AnswerService
from rag_service.documents.model import ANALYSIS, Document
from rag_service.metrics import CITATIONS
from rag_service.questions.question import Question
from rag_service.retrieval.model import Filters
from rag_service.retrieval.service import RetrievalService
from rag_service.text.periods import written_day
from rag_service.text.sentences import sentences

HEAD = "Esto dicen análisis del sistema, que no son opiniones de la gente ni cuentan entre ellas:"
LOOKED_AT = 100
"""So many analyses are looked at for one question."""
LONGEST_QUOTE = 1_000
"""In characters; of a longer analysis the first sentences are quoted."""


@dataclass(frozen=True, slots=True)
class AnswersWithAnalyses:
    """Answers as ``AnswerService`` does; an analysis is cited beside, and is part of no position and of no count."""

    answers: AnswerService
    retrieval: RetrievalService

    async def answer(self, text: str, filters: Filters, limit: int) -> Answer:
        """Answer a question from documents that match ``filters``; the model is shown at most ``limit`` of them."""
        kind = asked_kind(text)
        # Who filters by origin asks for documents of that origin alone.
        if kind is None or filters.origin is not None:
            return await self.answers.answer(text, filters, limit)
        found, answer = await asyncio.gather(
            self._found(text, kind, filters), self.answers.answer(text, filters, limit)
        )
        passages = [passage for document in found if (passage := _quoted(document)) is not None]
        CITATIONS.labels("kept").inc(len(passages))
        return _told(passages, answer) if passages else answer

    async def _found(self, text: str, kind: Kind, filters: Filters) -> list[Document]:
        question = Question.of(text, filters)
        # What an analysis is about says its metadata: only tweets are in data sets.
        analyses = replace(question.filters, voices=False, origin=ANALYSIS, dataset=None)
        hits = (await self.retrieval.search(f"{kind.name} {text}", analyses, LOOKED_AT)).hits
        documents = [hit.document for hit in hits if hit.document.metadata.get("dataset") == filters.dataset]
        return chosen(question, kind, documents)


def _quoted(document: Document) -> CitedPassage | None:
    spans = list(sentences(document.text))
    ends = [end for _, end in spans if end - spans[0][0] <= LONGEST_QUOTE]
    if not ends:
        return None
    start, end = spans[0][0], ends[-1]
    return CitedPassage(Citation(document.id, document.text[start:end], start, end), document)


def _told(passages: Sequence[CitedPassage], answer: Answer) -> Answer:
    lines = [HEAD, *map(_line, passages)]
    if answer.abstained:
        return replace(answer, text="\n".join(lines), passages=list(passages), missing=[])
    return replace(answer, text="\n".join([*lines, answer.text]), passages=[*passages, *answer.passages])


def _line(passage: CitedPassage) -> str:
    document, quote = passage.document, " ".join(passage.citation.quote.split())
    maker = (document.stored_by or "").removeprefix("service:")
    return f'   "{quote}" [{document.id}] (análisis de {maker}, {written_day(document.published_at)})'
