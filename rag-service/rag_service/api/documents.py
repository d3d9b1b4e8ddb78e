"""Routes of documents."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Query

from castor_chassis import Identifier, Ok, Page, errors_of, ok, page
from rag_service.api.mappers import document_of, draft_of, erasure_of, stored_of
from rag_service.api.resources import CanReadDocuments, CanWriteDocuments, R, access_of
from rag_service.api.schemas.documents import (
    DocumentErased,
    DocumentOut,
    DocumentsIn,
    DocumentsStored,
    ErasureOut,
    SourceErased,
)
from rag_service.api.schemas.fields import NO_NULL
from rag_service.errors import DocumentNotFound, DuplicateIds, NotForYourRoles, ReservedId

_LAST = 2**63 - 1
Limit = Annotated[int, Query(ge=1, le=100)]
SourceName = Annotated[str, Query(min_length=1, max_length=128, pattern=NO_NULL)]
router = APIRouter(prefix="/v1/rag", tags=["rag"])


@router.post("/documents", status_code=201, responses=errors_of(DuplicateIds, ReservedId, NotForYourRoles))
async def store_documents(body: DocumentsIn, r: R, who: CanWriteDocuments) -> Ok[DocumentsStored]:
    """Store documents, all or none; sending the same again changes nothing and costs no embedding."""
    drafts = [draft_of(document) for document in body.documents]
    origin = "analysis" if who.kind == "service" else "upload"
    return ok(stored_of(drafts, await r.documents.store(access_of(who), origin, drafts)))


@router.get("/documents")
async def list_documents(
    r: R,
    who: CanReadDocuments,
    source: SourceName | None = None,
    limit: Limit = 50,
    cursor: Identifier | None = None,
) -> Page[DocumentOut]:
    """Return the documents of your organisation by id; the shared tweets are not among them."""
    found = await r.documents.page(access_of(who), source, cursor or "", limit + 1)
    following = found[limit - 1].id if len(found) > limit else None
    return page([document_of(document) for document in found[:limit]], next_cursor=following)


@router.delete("/documents")
async def erase_source(source: SourceName, r: R, who: CanWriteDocuments) -> Ok[SourceErased]:
    """Erase all documents of a source of your organisation; sending it again erases nothing more."""
    return ok(SourceErased(source=source, erased=await r.documents.erase_source(access_of(who), source)))


@router.get("/documents/{document_id}", responses=errors_of(DocumentNotFound))
async def get_document(document_id: Identifier, r: R, who: CanReadDocuments) -> Ok[DocumentOut]:
    """Return one document."""
    return ok(document_of(await r.documents.document(access_of(who), document_id)))


@router.delete("/documents/{document_id}", responses=errors_of(DocumentNotFound, ReservedId))
async def erase_document(document_id: Identifier, r: R, who: CanWriteDocuments) -> Ok[DocumentErased]:
    """Erase one document of your organisation; who did is kept, and the document is not."""
    await r.documents.erase(access_of(who), document_id)
    return ok(DocumentErased(id=document_id))


@router.get("/erasures")
async def list_erasures(
    r: R,
    who: CanReadDocuments,
    limit: Limit = 50,
    cursor: Annotated[int, Query(ge=0, le=_LAST)] = _LAST,
) -> Page[ErasureOut]:
    """Return who erased which documents of your organisation, newest first."""
    found = await r.documents.erasures(access_of(who), cursor, limit + 1)
    following = str(found[limit - 1].number) if len(found) > limit else None
    return page([erasure_of(erasure) for erasure in found[:limit]], next_cursor=following)
