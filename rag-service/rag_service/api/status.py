"""Route of the status."""

from __future__ import annotations

from fastapi import APIRouter

from castor_chassis import Ok, ok
from rag_service.api.mappers import status_of
from rag_service.api.resources import CanReadDocuments, R, access_of
from rag_service.api.schemas.status import StatusOut

router = APIRouter(prefix="/v1/rag", tags=["rag"])


@router.get("/status")
async def get_status(r: R, who: CanReadDocuments) -> Ok[StatusOut]:
    """Return how far indexing is."""
    # The cursor first, so that the documents counted are at least those up to it.
    cursor = await r.documents.feed_cursor()
    return ok(status_of(await r.embeddings.counts(access_of(who)), cursor))
