"""Between the wire and the domain."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict
from datetime import UTC, datetime

from rag_service.answers.service import Answer, CitedPassage
from rag_service.api.schemas.documents import (
    AnswerOut,
    CitationOut,
    DocumentIn,
    DocumentOut,
    DocumentsIn,
    DocumentsStored,
    FiltersIn,
    SearchHit,
)
from rag_service.documents.model import TWEET_PREFIX, TWEET_SOURCE, Document, Draft, Filters, Saved, id_of_content
from rag_service.errors import DuplicateIds, ReservedId
from rag_service.retrieval.service import Hit


def drafts_of(body: DocumentsIn) -> list[Draft]:
    """Return what is to be stored; raises ``ReservedId`` or ``DuplicateIds``."""
    drafts = [_draft(document) for document in body.documents]
    for draft in drafts:
        if draft.id.startswith(TWEET_PREFIX) or draft.source.strip().lower() == TWEET_SOURCE:
            raise ReservedId(document_id=draft.id)
    name, times = Counter(draft.id for draft in drafts).most_common(1)[0]
    if times > 1:
        raise DuplicateIds(document_id=name)
    return drafts


def _draft(document: DocumentIn) -> Draft:
    fields = dict(document)
    fields["id"] = document.id or id_of_content(document.source, document.title, document.text)
    return Draft(**fields)


def stored_of(drafts: Sequence[Draft], saved: Saved) -> DocumentsStored:
    """Return what became of the drafts."""
    return DocumentsStored(
        ids=[draft.id for draft in drafts],
        created=len(saved.created),
        updated=len(saved.updated),
        unchanged=len(saved.unchanged),
    )


def filters_of(given: FiltersIn, as_of: datetime | None) -> Filters:
    """Return the filters, with now for a missing ``as_of``."""
    return Filters(as_of=as_of or datetime.now(UTC), **dict(given))


def document_of(document: Document) -> DocumentOut:
    """Return a stored document as it is answered."""
    return DocumentOut(**asdict(document))


def hit_of(hit: Hit) -> SearchHit:
    """Return a found document as it is answered."""
    return SearchHit(
        document=document_of(hit.document),
        score=hit.score,
        lexical_rank=hit.lexical_rank,
        dense_rank=hit.dense_rank,
        similarity=hit.similarity,
    )


def answer_of(answer: Answer) -> AnswerOut:
    """Return an answer as it is answered."""
    return AnswerOut(
        answer=answer.text,
        citations=[_citation(passage) for passage in answer.passages],
        documents_considered=answer.documents_considered,
        abstained=answer.abstained,
    )


def _citation(passage: CitedPassage) -> CitationOut:
    document = passage.document
    return CitationOut(
        **asdict(passage.citation),
        source=document.source,
        author=document.author,
        published_at=document.published_at,
    )
