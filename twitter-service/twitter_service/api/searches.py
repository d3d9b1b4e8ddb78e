"""HTTP: searches, timelines and look-ups of X."""

from __future__ import annotations

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Depends, Header, Query, Response

from castor_chassis import Ok, Page, Paged, Principal, SinceQuery, UntilQuery, check_span, errors_of, ok, require
from castor_chassis.service.idempotency import IdempotencyKey
from twitter_service.api.resources import R, org_of, payer_of
from twitter_service.api.schemas.lookups import LookUpRequest, LookUpResult
from twitter_service.api.schemas.searches import (
    NEWEST_SEARCH,
    SearchPreview,
    SearchRequest,
    TimelineRequest,
    XHandle,
    XSearch,
)
from twitter_service.errors import BudgetSpent, EntityNotFound, SearchNotFound
from twitter_service.searches.service import Queued, Submission
from twitter_service.x.errors import (
    ArchiveNotEnabled,
    EmptySearch,
    EmptyTerm,
    QueryTooLong,
    UserNotFound,
    WindowEmpty,
    WindowTooFar,
    XAllowanceSpent,
    XLimitsUnavailable,
    XNotConfigured,
    XRejected,
    XUnauthorized,
    XUnavailable,
)
from twitter_service.x.span import Span

router = APIRouter(prefix="/v1/twitter", tags=["x"])

X_ERRORS = (XNotConfigured, XUnavailable, XAllowanceSpent, XLimitsUnavailable, XUnauthorized, XRejected)
PLAN_ERRORS = (EmptySearch, EmptyTerm, QueryTooLong, WindowTooFar, WindowEmpty, ArchiveNotEnabled, EntityNotFound)
CanWrite = Annotated[Principal, Depends(require("tweets:write"))]
CanRead = Annotated[Principal, Depends(require("tweets:read"))]
Key = Annotated[
    IdempotencyKey | None,
    Header(alias="Idempotency-Key", description="A new UUID. The same key and body again answer with the same search."),
]


@router.post("/searches/preview", responses=errors_of(*PLAN_ERRORS, *X_ERRORS))
async def preview_search(body: SearchRequest, r: R, principal: CanRead) -> Ok[SearchPreview]:
    """Say what a search would find and cost, from X's counts; spends no money."""
    return ok(SearchPreview.of(await r.searches.preview(body.spec(), payer_of(principal, body.purpose))))


@router.post("/searches", status_code=202, responses=errors_of(*PLAN_ERRORS, *X_ERRORS, BudgetSpent))
async def start_search(
    body: SearchRequest, r: R, principal: CanWrite, response: Response, idempotency_key: Key = None
) -> Ok[XSearch]:
    """Promise the price of a search and queue it; over budget it is refused before anything is spent.

    Idempotent with an Idempotency-Key; without one, the same body again is another search (which stores no
    tweet twice and is not billed twice on the same UTC day).
    """
    submission = Submission(payer_of(principal, body.purpose), body.model_dump(mode="json"), idempotency_key)
    return _accepted(response, await r.searches.search(body.spec(), submission))


@router.get("/searches")
async def list_searches(
    r: R,
    principal: CanRead,
    cursor: Paged,
    since: SinceQuery = None,
    until: UntilQuery = None,
    limit: Annotated[int, Query(ge=1, le=200)] = 50,
) -> Page[XSearch]:
    """List the searches, runs of collections, fillings of gaps and timelines of one's organisation, newest first."""
    check_span(since, until)
    after = cursor.after(NEWEST_SEARCH)
    jobs = await r.searches.find(org_of(principal), None, after, limit + 1, (since, until))
    return cursor.page(jobs, limit, NEWEST_SEARCH, XSearch.of)


# The convertor keeps this path apart from /searches/preview, which knows no GET.
@router.get("/searches/{search_id:uuid}", responses=errors_of(SearchNotFound))
async def get_search(
    search_id: UUID,
    r: R,
    principal: CanRead,
    wait: Annotated[float, Query(ge=0, le=25, description="Seconds to wait for its end.")] = 0,
) -> Ok[XSearch]:
    """Return how far a search is, what it brought and what it cost."""
    return ok(XSearch.of(await r.searches.await_end(org_of(principal), search_id.hex, wait)))


@router.post(
    "/users/{handle}/timeline",
    status_code=202,
    responses=errors_of(*X_ERRORS, BudgetSpent, UserNotFound),
)
async def read_timeline(
    handle: XHandle,
    body: TimelineRequest,
    r: R,
    principal: CanWrite,
    response: Response,
    idempotency_key: Key = None,
) -> Ok[XSearch]:
    """Queue the reading of what an account wrote; it is followed like a search. Idempotent with an Idempotency-Key."""
    request = {"handle": handle, **body.model_dump(mode="json")}
    submission = Submission(payer_of(principal, body.purpose), request, idempotency_key)
    span = Span(body.since, body.until)
    return _accepted(response, await r.searches.timeline(handle, span, body.max_tweets, submission))


def _accepted(response: Response, queued: Queued) -> Ok[XSearch]:
    if queued.before:
        response.headers["Idempotency-Replayed"] = "true"
    return ok(XSearch.of(queued.job))


@router.post("/lookups", responses=errors_of(*X_ERRORS, BudgetSpent))
async def look_up_tweets(body: LookUpRequest, r: R, principal: CanWrite) -> Ok[LookUpResult]:
    """Read tweets by id from X and store them. Again, it stores nothing twice and is billed once a UTC day."""
    found = await r.searches.look_up(body.ids, payer_of(principal, body.purpose))
    return ok(LookUpResult.of(found))
