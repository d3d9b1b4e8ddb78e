"""Routes of documents."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Query

from castor_chassis import (
    ComposedText,
    IdempotencyInFlight,
    Identifier,
    Ok,
    Once,
    Order,
    Page,
    Paged,
    Row,
    SinceQuery,
    UntilQuery,
    check_span,
    errors_of,
    ok,
)
from rag_service.api.mappers import document_of, draft_of, erasure_of, stored_of
from rag_service.api.resources import CanReadDocuments, CanWriteDocuments, R, access_for, access_of
from rag_service.api.schemas.documents import (
    DocumentErased,
    DocumentOut,
    DocumentsIn,
    DocumentsStored,
    ErasureOut,
    Organisation,
    SourceErased,
)
from rag_service.documents.model import ANALYSIS, DocumentFilter
from rag_service.errors import DocumentNotFound, DuplicateIds, NotForYourRoles, NotYourOrganisation, ReservedId

_LAST = 2**63 - 1
BY_ID = Order(tuple[Identifier], lambda one: (one.id,))
_NEWEST = Order(tuple[Row], lambda erasure: (erasure.number,), newest_first=True)
Limit = Annotated[int, Query(ge=1, le=100)]
SourceName = Annotated[ComposedText, Query(min_length=1, max_length=128)]
OrganisationQuery = Annotated[
    Organisation | None, Query(description="Named by services alone; everybody else erases for their own.")
]
router = APIRouter(prefix="/v1/rag", tags=["rag"])


@router.post(
    "/documents",
    status_code=201,
    responses=errors_of(DuplicateIds, ReservedId, NotForYourRoles, NotYourOrganisation, IdempotencyInFlight),
)
async def store_documents(body: DocumentsIn, r: R, who: CanWriteDocuments, _once: Once) -> Ok[DocumentsStored]:
    """Store documents, all or none; sending the same again changes nothing and costs no embedding.

    What a service of the system stores is an analysis: search finds it, answers to a question for forecasts or trends
    cite it, and none counts it as what people say.
    """
    drafts = [draft_of(document) for document in body.documents]
    access = access_for(who, body.organisation)
    origin = ANALYSIS if who.kind == "service" else "upload"
    return ok(stored_of(drafts, await r.documents.store(access, origin, drafts)))


@router.get("/documents")
async def list_documents(
    r: R,
    who: CanReadDocuments,
    cursor: Paged,
    source: SourceName | None = None,
    since: SinceQuery = None,
    until: UntilQuery = None,
    limit: Limit = 50,
) -> Page[DocumentOut]:
    """Return the documents of your organisation that were published in a span, by id; the shared tweets are apart."""
    check_span(since, until)
    (after,) = cursor.after(BY_ID) or ("",)
    found = await r.documents.page(access_of(who), DocumentFilter(source, since, until), after, limit + 1)
    return cursor.page(found, limit, BY_ID, document_of)


@router.delete("/documents")
async def erase_source(source: SourceName, r: R, who: CanWriteDocuments) -> Ok[SourceErased]:
    """Erase all documents of a source of your organisation; sending it again erases nothing more."""
    return ok(SourceErased(source=source, erased=await r.documents.erase_source(access_of(who), source)))


@router.get("/documents/{document_id}", responses=errors_of(DocumentNotFound))
async def get_document(document_id: Identifier, r: R, who: CanReadDocuments) -> Ok[DocumentOut]:
    """Return one document."""
    return ok(document_of(await r.documents.document(access_of(who), document_id)))


@router.delete("/documents/{document_id}", responses=errors_of(DocumentNotFound, ReservedId, NotYourOrganisation))
async def erase_document(
    document_id: Identifier, r: R, who: CanWriteDocuments, organisation: OrganisationQuery = None
) -> Ok[DocumentErased]:
    """Erase one document of your organisation; who did is kept, and the document is not.

    Services erase only what they stored, for the organisation that they name.
    """
    await r.documents.erase(access_for(who, organisation), document_id, only_own=who.kind == "service")
    return ok(DocumentErased(id=document_id))


@router.get("/erasures")
async def list_erasures(
    r: R,
    who: CanReadDocuments,
    cursor: Paged,
    since: SinceQuery = None,
    until: UntilQuery = None,
    limit: Limit = 50,
) -> Page[ErasureOut]:
    """Return who erased which documents of your organisation, newest first."""
    check_span(since, until)
    (before,) = cursor.after(_NEWEST) or (_LAST,)
    found = await r.documents.erasures(access_of(who), before, limit + 1, (since, until))
    return cursor.page(found, limit, _NEWEST, erasure_of)
