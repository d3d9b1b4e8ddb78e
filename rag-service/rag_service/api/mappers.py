"""Between records and wire models."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, replace
from datetime import UTC, datetime
from statistics import fmean

from castor_chassis import check_span
from rag_service.answers.model import Answer, CitedPassage
from rag_service.answers.positions import Position
from rag_service.api.schemas.answers import AnswerOut, CitationOut, PositionOut, QueryIn
from rag_service.api.schemas.conversations import ConversationOut, TurnOut
from rag_service.api.schemas.documents import DocumentIn, DocumentOut, DocumentsStored, ErasureOut
from rag_service.api.schemas.fields import FiltersIn
from rag_service.api.schemas.files import FileOut
from rag_service.api.schemas.search import EvaluationOut, JudgedQuestion, MeasuredQuestion, SearchHit
from rag_service.api.schemas.status import StatusOut
from rag_service.conversations.model import Conversation, Turn
from rag_service.documents.model import Access, Document, Draft, Erasure, SavedDocuments, id_of_content
from rag_service.embeddings.model import EmbeddingCounts
from rag_service.files.model import File
from rag_service.retrieval.evaluation import quality_of
from rag_service.retrieval.model import Filters, Found, Hit


def draft_of(document: DocumentIn) -> Draft:
    """Return a document to be stored; without an id its content names it."""
    fields = dict(document)
    fields["id"] = document.id or id_of_content(document.source, document.title, document.text)
    return Draft(**fields)


def stored_of(drafts: Sequence[Draft], saved: SavedDocuments) -> DocumentsStored:
    """Return the ids of the drafts, in their order, and how many were new, changed or unchanged."""
    return DocumentsStored(
        ids=[draft.id for draft in drafts],
        created=len(saved.created),
        updated=len(saved.updated),
        unchanged=len(saved.unchanged),
    )


def erasure_of(erasure: Erasure) -> ErasureOut:
    """Return who erased a document, and when."""
    return ErasureOut(id=erasure.document_id, erased_by=erasure.erased_by, erased_at=erasure.erased_at)


def measured_of(judged: JudgedQuestion, found: Found, depth: int) -> MeasuredQuestion:
    """Return the measures of one question."""
    ids = [hit.document.id for hit in found.hits]
    quality = quality_of(ids, frozenset(judged.relevant), depth)
    return MeasuredQuestion(question=judged.question, ids=ids, **asdict(quality))


def means_of(rows: Sequence[MeasuredQuestion]) -> EvaluationOut:
    """Return the means of the measures, with the questions."""
    return EvaluationOut(
        questions=list(rows),
        ndcg=fmean(row.ndcg for row in rows),
        recall=fmean(row.recall for row in rows),
        reciprocal_rank=fmean(row.reciprocal_rank for row in rows),
    )


def file_of(file: File) -> FileOut:
    """Return a file and how far it is read."""
    fields = {name: value for name, value in asdict(file).items() if name not in ("tenant", "generation")}
    return FileOut.model_validate(fields)


def conversation_of(conversation: Conversation) -> ConversationOut:
    """Return a conversation without its turns."""
    return ConversationOut(**{**asdict(conversation), "id": str(conversation.id)})


def turn_of(turn: Turn) -> TurnOut:
    """Return a question and its answer."""
    return TurnOut(**asdict(turn))


def filters_of(
    filters: FiltersIn, as_of: datetime | None, access: Access, half_life_days: float | None = None
) -> Filters:
    """Return the filters, with now for a missing ``as_of``; raises ``Invalid`` for a span in which nothing can be."""
    check_span(filters.since, filters.until, place="body.filters")
    return Filters(as_of=as_of or datetime.now(UTC), access=access, half_life_days=half_life_days, **dict(filters))


def question_filters_of(body: QueryIn, access: Access) -> Filters:
    """Return the filters of a question, which also leave out analyses."""
    return replace(filters_of(body.filters, body.as_of, access, body.half_life_days), voices=True)


def document_of(document: Document) -> DocumentOut:
    """Return a stored document."""
    return DocumentOut(**asdict(document))


def hit_of(hit: Hit) -> SearchHit:
    """Return a document that was found, with its ranks."""
    return SearchHit(
        document=document_of(hit.document),
        score=hit.score,
        lexical_rank=hit.lexical_rank,
        dense_rank=hit.dense_rank,
        similarity=hit.similarity,
        more=hit.more,
    )


def answer_of(answer: Answer) -> AnswerOut:
    """Return an answer with its citations."""
    return AnswerOut(
        answer=answer.text,
        citations=[_citation(passage) for passage in answer.passages],
        documents_considered=answer.documents_considered,
        abstained=answer.abstained,
        positions=[_position(position) for position in answer.positions],
        missing=answer.missing,
        quarantined=answer.quarantined,
    )


def _position(position: Position) -> PositionOut:
    fields = {name: value for name, value in asdict(position).items() if name != "quotes"}
    return PositionOut(**fields, citations=[citation.id for citation in position.quotes])


def _citation(passage: CitedPassage) -> CitationOut:
    document = passage.document
    return CitationOut(
        **asdict(passage.citation),
        source=document.source,
        author=document.author,
        published_at=document.published_at,
        title=document.title,
        url=document.url,
        places=document.places,
        origin=document.origin,
        stored_by=document.stored_by,
        sentiment=label if isinstance(label := document.metadata.get("label"), str) else None,
        same=passage.same,
    )


def status_of(counts: EmbeddingCounts, cursor: str) -> StatusOut:
    """Return the state of the index."""
    return StatusOut(**asdict(counts), cursor=cursor)
