"""Route of the search."""

from __future__ import annotations

from fastapi import APIRouter

from castor_chassis import Ok, Page, errors_of, ok, page
from rag_service.api.mappers import filters_of, hit_of, means_of, measured_of
from rag_service.api.resources import CanQuery, R, access_of
from rag_service.api.schemas.search import EvaluationIn, EvaluationOut, MeasuredQuestion, SearchHit, SearchIn
from rag_service.errors import FilterUnknown

router = APIRouter(prefix="/v1/rag", tags=["rag"])


@router.post("/search", responses=errors_of(FilterUnknown))
async def search_documents(body: SearchIn, r: R, who: CanQuery) -> Page[SearchHit]:
    """Return the documents that fit best by words and by meaning; of each conversation only the best, on request."""
    filters = filters_of(body.filters, body.as_of, access_of(who), body.half_life_days)
    await r.retrieval.check(filters)
    search = r.retrieval.search_folded if body.fold_conversations else r.retrieval.search
    found = await search(body.query, filters, body.limit)
    return page([hit_of(hit) for hit in found.hits], as_of=filters.as_of, degraded=found.degraded or None)


@router.post("/evaluations", responses=errors_of(FilterUnknown))
async def evaluate_search(body: EvaluationIn, r: R, who: CanQuery) -> Ok[EvaluationOut]:
    """Measure the search by questions with judged documents, on what is stored; nothing of it is kept."""
    measured: list[tuple[MeasuredQuestion, list[str]]] = []
    for judged in body.questions:
        filters = filters_of(judged.filters, judged.as_of, access_of(who))
        await r.retrieval.check(filters)
        found = await r.retrieval.search(judged.question, filters, body.depth)
        measured.append((measured_of(judged, found, body.depth), found.degraded))
    degraded = sorted({part for _, parts in measured for part in parts})
    return ok(means_of([row for row, _ in measured]), degraded=degraded or None)
