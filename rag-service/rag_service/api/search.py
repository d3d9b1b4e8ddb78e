"""Route of the search."""

from __future__ import annotations

from fastapi import APIRouter

from castor_chassis import Page, page
from rag_service.api.mappers import filters_of, hit_of
from rag_service.api.resources import CanQuery, R, access_of
from rag_service.api.schemas.search import SearchHit, SearchIn

router = APIRouter(prefix="/v1/rag", tags=["rag"])


@router.post("/search")
async def search_documents(body: SearchIn, r: R, who: CanQuery) -> Page[SearchHit]:
    """Return the documents that fit best by words and by meaning."""
    filters = filters_of(body.filters, body.as_of, access_of(who))
    found = await r.retrieval.search(body.query, filters, body.limit)
    return page([hit_of(hit) for hit in found.hits], as_of=filters.as_of, degraded=found.degraded or None)
