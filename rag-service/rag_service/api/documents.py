"""Routes of documents."""

from __future__ import annotations

from fastapi import APIRouter

from castor_chassis import Identifier, Ok, errors_of, ok
from rag_service.api.mappers import document_of, draft_of, stored_of
from rag_service.api.resources import CanReadDocuments, CanWriteDocuments, R
from rag_service.api.schemas.documents import DocumentErased, DocumentOut, DocumentsIn, DocumentsStored
from rag_service.errors import DocumentNotFound, DuplicateIds, ReservedId

router = APIRouter(prefix="/v1/rag", tags=["rag"])


@router.post("/documents", status_code=201, responses=errors_of(DuplicateIds, ReservedId))
async def store_documents(body: DocumentsIn, r: R, _: CanWriteDocuments) -> Ok[DocumentsStored]:
    """Store documents, all or none; sending the same again changes nothing and costs no embedding."""
    drafts = [draft_of(document) for document in body.documents]
    return ok(stored_of(drafts, await r.documents.store(drafts)))


@router.get("/documents/{document_id}", responses=errors_of(DocumentNotFound))
async def get_document(document_id: Identifier, r: R, _: CanReadDocuments) -> Ok[DocumentOut]:
    """Return one document."""
    return ok(document_of(await r.documents.document(document_id)))


@router.delete("/documents/{document_id}", responses=errors_of(DocumentNotFound))
async def erase_document(document_id: Identifier, r: R, _: CanWriteDocuments) -> Ok[DocumentErased]:
    """Erase one document."""
    await r.documents.erase(document_id)
    return ok(DocumentErased(id=document_id))
