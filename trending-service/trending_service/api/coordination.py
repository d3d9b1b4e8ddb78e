"""Route of suspected coordination."""

from __future__ import annotations

from datetime import timedelta
from typing import Annotated

from fastapi import APIRouter, Query

from castor_chassis import Page, SinceQuery, UntilQuery, errors_of, normal_time, page
from trending_service.api.mappers import group_of
from trending_service.api.resources import CanRead, R
from trending_service.api.schemas.coordination import SuspectedGroup
from trending_service.api.schemas.fields import AsOf, Axis, Dataset, Entity, Place, scopes_of, window_of
from trending_service.errors import ScopeNotFound

router = APIRouter(prefix="/v1/trending", tags=["trending"])
MOST_HOURS = 168


@router.get("/coordination", responses=errors_of(ScopeNotFound))
async def list_coordination(
    r: R,
    _: CanRead,
    since: SinceQuery = None,
    until: UntilQuery = None,
    as_of: AsOf = None,
    window_hours: Annotated[int, Query(ge=1, le=MOST_HOURS, description="Length of the window, without since.")] = 24,
    place: Place = None,
    entity: Entity = None,
    axis: Axis = None,
    dataset: Dataset = None,
    limit: Annotated[int, Query(ge=1, le=100, description="At most so many groups.")] = 20,
) -> Page[SuspectedGroup]:
    """List accounts suspected of coordination: those that post the same thing within seconds, again and again.

    Largest group first. The null model keeps how often each account posted each thing in each half hour. Of a window
    with more than 200,000 tweets the newest are looked at: meta.looked_since says how far back.
    """
    asked = window_of(since, until, as_of, window_hours, most=MOST_HOURS)
    scopes = scopes_of(place, entity, axis, dataset)
    found = await r.coordination.reports(asked.until, timedelta(hours=asked.hours), scopes)
    if not found.groups:
        await r.topics.check_scopes(scopes)
    return page(
        [group_of(one) for one in found.groups[:limit]],
        as_of=normal_time(asked.until),
        window_hours=asked.hours,
        groups=len(found.groups),
        looked_since=found.looked_since,
    )
