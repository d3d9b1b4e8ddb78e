"""HTTP: documents, search, questions."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

from fastapi import APIRouter, Depends

from castor_chassis import Identifier, Ok, Page, Principal, errors_of, ok, page, provided, require
from rag_service.answers.service import Answerer
from rag_service.api import mappers as wire
from rag_service.api.schemas.documents import (
    AnswerOut,
    DocumentErased,
    DocumentOut,
    DocumentsIn,
    DocumentsStored,
    QueryIn,
    SearchHit,
    SearchIn,
    StatusOut,
)
from rag_service.documents.repository import DocumentStore
from rag_service.errors import DocumentNotFound, DuplicateIds, ReservedId
from rag_service.retrieval.service import Retriever

router = APIRouter(prefix="/v1/rag", tags=["rag"])


@dataclass(frozen=True)
class Resources:
    """What the routes use."""

    store: DocumentStore
    retriever: Retriever
    answerer: Answerer


R = Annotated[Resources, provided(Resources)]
Reader = Annotated[Principal, Depends(require("documents:read"))]
Editor = Annotated[Principal, Depends(require("documents:write"))]
Asker = Annotated[Principal, Depends(require("rag:query"))]


@router.post("/documents", status_code=201, responses=errors_of(DuplicateIds, ReservedId))
async def store_documents(body: DocumentsIn, r: R, _: Editor) -> Ok[DocumentsStored]:
    """Store documents, all or none; sending the same again changes nothing and costs no embedding."""
    drafts = wire.drafts_of(body)
    return ok(wire.stored_of(drafts, await r.store.save(drafts)))


@router.get("/documents/{document_id}", responses=errors_of(DocumentNotFound))
async def get_document(document_id: Identifier, r: R, _: Reader) -> Ok[DocumentOut]:
    """Return one document."""
    return ok(wire.document_of(await r.store.document(document_id)))


@router.delete("/documents/{document_id}", responses=errors_of(DocumentNotFound))
async def erase_document(document_id: Identifier, r: R, _: Editor) -> Ok[DocumentErased]:
    """Erase one document."""
    await r.store.erase(document_id)
    return ok(DocumentErased(id=document_id))


@router.post("/search")
async def search(body: SearchIn, r: R, _: Asker) -> Page[SearchHit]:
    """Return the documents that fit best by words and by meaning."""
    filters = wire.filters_of(body.filters, body.as_of)
    found = await r.retriever.search(body.query, filters, body.limit)
    return page([wire.hit_of(hit) for hit in found.hits], as_of=filters.as_of, degraded=found.degraded or None)


@router.post("/query")
async def query(body: QueryIn, r: R, _: Asker) -> Ok[AnswerOut]:
    """Answer a question with quotes that stand verbatim in the documents, or say that they do not answer."""
    filters = wire.filters_of(body.filters, body.as_of)
    answer = await r.answerer.answer(body.question, filters, body.limit)
    return ok(wire.answer_of(answer), as_of=filters.as_of, degraded=answer.degraded or None)


@router.get("/status")
async def status(r: R, _: Reader) -> Ok[StatusOut]:
    """Return how far indexing is."""
    return ok(StatusOut.model_validate(await r.store.counts(), from_attributes=True))
