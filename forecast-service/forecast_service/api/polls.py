"""Routes of polls."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Query

from castor_chassis import Ok, Timestamp, Unavailable, errors_of, ok
from forecast_service.api.mappers import poll_average_of
from forecast_service.api.posted_polls import POLL_ERRORS, POLLS_BODY, PostedPolls
from forecast_service.api.resources import CanRead, R
from forecast_service.api.schemas.polls import POLLS_AS_OF, PollAverage
from forecast_service.errors import TooFewPolls

router = APIRouter(prefix="/v1/forecast", tags=["forecast"])
AsOf = Annotated[Timestamp | None, Query(description=POLLS_AS_OF)]
Level = Annotated[float, Query(ge=0.5, le=0.99, description="Probability of the bands.")]


@router.post("/polls", responses=errors_of(*POLL_ERRORS, TooFewPolls, Unavailable), openapi_extra=POLLS_BODY)
async def average_polls(
    polls: PostedPolls, r: R, _: CanRead, as_of: AsOf = None, level: Level = 0.95
) -> Ok[PollAverage]:
    """Average posted polls of one contest, with house effects and a band. Nothing is stored.

    The same polls give the same answer. A poll that is posted twice counts once.
    """
    return ok(poll_average_of(await r.polls.average(polls, as_of, level)))
