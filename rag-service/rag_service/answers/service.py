"""Answers a question from the documents; only verified quotes are answered."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from rag_service.answers.citations import Citation, verify
from rag_service.answers.extractive_answer import best_quotes, join_quotes
from rag_service.answers.model import Answer, CitedPassage
from rag_service.answers.prompt import user_message
from rag_service.clients.openai import OpenAIClient
from rag_service.documents.model import Document
from rag_service.metrics import ABSTENTIONS, CITATIONS, DEGRADED
from rag_service.retrieval.model import Filters
from rag_service.retrieval.service import RetrievalService

NOTHING_FOUND = "No hay documentos que respondan a la pregunta con esos filtros y en esa fecha."
NOT_ANSWERED = "Los documentos consultados no permiten responder a la pregunta con citas textuales."


@dataclass(frozen=True, slots=True)
class AnswerService:
    """Retrieves documents, asks the model with ``instructions`` as system prompt, verifies what it wrote.

    Without a model the answer consists of the best sentences of the documents (``degraded: ["llm"]``).
    """

    retrieval: RetrievalService
    openai: OpenAIClient
    instructions: str

    async def answer(self, question: str, filters: Filters, limit: int) -> Answer:
        """Answer ``question`` from at most ``limit`` documents that match ``filters``."""
        found = await self.retrieval.distinct(question, filters, limit)
        documents = [hit.document for hit in found.hits]
        if not documents:
            ABSTENTIONS.labels("nothing_found").inc()
            return Answer(NOTHING_FOUND, [], 0, found.degraded)
        reply = await self.openai.chat(self.instructions, user_message(question, documents))
        generated = None if reply is None else reply.text
        degraded = found.degraded + (["llm"] if reply is None else reply.degraded or [])
        if "llm" in degraded:
            DEGRADED.labels("llm").inc()
        if generated is None:
            citations = best_quotes(question, documents)
            return _answer(join_quotes(citations), citations, documents, degraded)
        text, citations = _verified(generated, question, documents)
        return _answer(text, citations, documents, degraded)


def _verified(generated: str, question: str, documents: Sequence[Document]) -> tuple[str, list[Citation]]:
    verified = verify(generated, {document.id: document.text for document in documents}, question)
    CITATIONS.labels("removed").inc(verified.removed)
    return verified.text, verified.citations


def _answer(text: str, citations: list[Citation], documents: Sequence[Document], degraded: list[str]) -> Answer:
    CITATIONS.labels("kept").inc(len(citations))
    if not citations:
        ABSTENTIONS.labels("nothing_proved").inc()
        return Answer(NOT_ANSWERED, [], len(documents), degraded)
    by_id = {document.id: document for document in documents}
    passages = [CitedPassage(citation, by_id[citation.id]) for citation in citations]
    return Answer(text, passages, len(documents), degraded)
