"""Routes of polls."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Query

from castor_chassis import (
    IdempotencyInFlight,
    Ok,
    Once,
    Order,
    Page,
    Paged,
    Timestamp,
    Unavailable,
    errors_of,
    ok,
)
from forecast_service.api.mappers import poll_average_of
from forecast_service.api.posted_polls import POLL_ERRORS, POLLS_BODY, PostedPolls
from forecast_service.api.resources import CanRead, R, org_of
from forecast_service.api.schemas.polls import POLLS_AS_OF, Name, PollAverage, PollSet, SetId
from forecast_service.errors import PollSetNotFound, TooFewPolls, TooManyPollSets

router = APIRouter(prefix="/v1/forecast", tags=["forecast"])
AsOf = Annotated[Timestamp | None, Query(description=POLLS_AS_OF)]
SetName = Annotated[Name, Query(description="What the polls are of, for people: 'Primera vuelta 2026'.")]
Limit = Annotated[int, Query(ge=1, le=200)]
_BY_ID = Order(tuple[SetId], lambda one: (one.id,))
Level = Annotated[float, Query(ge=0.5, le=0.99, description="Probability of the bands.")]


@router.post("/polls", responses=errors_of(*POLL_ERRORS, TooFewPolls, Unavailable), openapi_extra=POLLS_BODY)
async def average_polls(
    polls: PostedPolls, r: R, _: CanRead, as_of: AsOf = None, level: Level = 0.95
) -> Ok[PollAverage]:
    """Average posted polls of one contest, with house effects and a band. Nothing is stored.

    The same polls give the same answer. A poll that is posted twice counts once.
    """
    return ok(poll_average_of(await r.polls.average(polls, as_of, level)))


@router.post(
    "/poll-sets",
    status_code=201,
    responses=errors_of(*POLL_ERRORS, TooManyPollSets, IdempotencyInFlight),
    openapi_extra=POLLS_BODY,
)
async def keep_polls(polls: PostedPolls, name: SetName, r: R, principal: CanRead, _once: Once) -> Ok[PollSet]:
    """Keep polls for your organisation, to ask for their average again.

    Idempotent: the same polls under the same name are the same set, whatever their order.
    """
    return ok(PollSet.of((await r.poll_sets.keep(org_of(principal), name, polls)).summary))


@router.get("/poll-sets")
async def list_poll_sets(r: R, principal: CanRead, cursor: Paged, limit: Limit = 50) -> Page[PollSet]:
    """List the polls that your organisation keeps, by id."""
    (after,) = cursor.after(_BY_ID) or ("",)
    return cursor.page(await r.poll_sets.find(org_of(principal), after, limit + 1), limit, _BY_ID, PollSet.of)


@router.get("/poll-sets/{set_id}", responses=errors_of(PollSetNotFound, TooFewPolls, Unavailable))
async def average_kept_polls(
    set_id: SetId, r: R, principal: CanRead, as_of: AsOf = None, level: Level = 0.95
) -> Ok[PollAverage]:
    """Average kept polls as of a moment, as if they were posted again."""
    kept = await r.poll_sets.get(org_of(principal), set_id)
    return ok(poll_average_of(await r.polls.average(kept.polls, as_of, level)))


@router.delete("/poll-sets/{set_id}", responses=errors_of(PollSetNotFound))
async def delete_poll_set(set_id: SetId, r: R, principal: CanRead) -> Ok[PollSet]:
    """Delete kept polls."""
    return ok(PollSet.of((await r.poll_sets.delete(org_of(principal), set_id)).summary))
