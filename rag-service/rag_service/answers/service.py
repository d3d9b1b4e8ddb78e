"""Answering a question from the documents, with every quote checked before it leaves."""

from __future__ import annotations

import html
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from rag_service.answers.citations import Citation, gate
from rag_service.answers.extractive_answer import best_quotes, quoted
from rag_service.documents.model import Document, Filters
from rag_service.metrics import ABSTENTIONS, CITATIONS, DEGRADED
from rag_service.retrieval.service import Retriever

SHOWN_CHARACTERS = 4_000
"""Of each document, what the model is shown."""
NOTHING_FOUND = "No hay documentos que respondan a la pregunta con esos filtros y en esa fecha."
NOT_ANSWERED = "Los documentos consultados no permiten responder a la pregunta con citas textuales."


class Written(Protocol):
    """What a model wrote."""

    @property
    def text(self) -> str:
        """The answer, with claims of quotes."""

    @property
    def degraded(self) -> list[str]:
        """What it was made without."""


class Writer(Protocol):
    """A language model."""

    async def write(self, system: str, user: str) -> Written | None:
        """Return an answer, or None when there is none to be had now."""


@dataclass(frozen=True, slots=True)
class CitedPassage:
    """A checked quote and the document that it stands in."""

    citation: Citation
    document: Document


@dataclass(frozen=True, slots=True)
class Answer:
    """An answer in which every quote is one of ``passages``; none: the service abstained."""

    text: str
    passages: list[CitedPassage]
    documents_considered: int
    degraded: list[str]

    @property
    def abstained(self) -> bool:
        """Whether the documents did not answer."""
        return not self.passages


class Answerer:
    """Retrieves, lets a model answer, and lets through what is proved. Without a model it quotes by itself."""

    def __init__(self, retriever: Retriever, writer: Writer, instructions: str) -> None:
        self._retriever = retriever
        self._writer = writer
        self._instructions = instructions

    async def answer(self, question: str, filters: Filters, limit: int) -> Answer:
        """Answer ``question`` from at most ``limit`` documents that ``filters`` let through."""
        found = await self._retriever.distinct(question, filters, limit)
        documents = [hit.document for hit in found.hits]
        if not documents:
            ABSTENTIONS.labels("nothing_found").inc()
            return Answer(NOTHING_FOUND, [], 0, found.degraded)
        written = await self._writer.write(self._instructions, fenced(question, documents))
        degraded = found.degraded + (["llm"] if written is None else written.degraded)
        if "llm" in degraded:
            DEGRADED.labels("llm").inc()
        text, citations = _quotes(question, documents) if written is None else _checked(written, question, documents)
        return _answer(text, citations, documents, degraded)


def fenced(question: str, documents: Sequence[Document]) -> str:
    """Return the user message: each document in a fence that its text cannot close, then the question."""
    blocks = [
        f'<document id="{document.id}">{html.escape(document.text[:SHOWN_CHARACTERS], quote=False)}</document>'
        for document in documents
    ]
    return "\n".join([*blocks, f"<question>{html.escape(question, quote=False)}</question>"])


def _checked(written: Written, question: str, documents: Sequence[Document]) -> tuple[str, list[Citation]]:
    gated = gate(written.text, {document.id: document.text for document in documents}, question)
    CITATIONS.labels("removed").inc(gated.removed)
    return gated.text, gated.citations


def _quotes(question: str, documents: Sequence[Document]) -> tuple[str, list[Citation]]:
    citations = best_quotes(question, documents)
    return quoted(citations), citations


def _answer(text: str, citations: list[Citation], documents: Sequence[Document], degraded: list[str]) -> Answer:
    CITATIONS.labels("kept").inc(len(citations))
    if not citations:
        ABSTENTIONS.labels("nothing_proved").inc()
        return Answer(NOT_ANSWERED, [], len(documents), degraded)
    by_id = {document.id: document for document in documents}
    passages = [CitedPassage(citation, by_id[citation.id]) for citation in citations]
    return Answer(text, passages, len(documents), degraded)
