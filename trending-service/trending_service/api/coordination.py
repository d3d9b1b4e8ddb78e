"""Route of suspected coordination."""

from __future__ import annotations

from datetime import timedelta
from typing import Annotated

from fastapi import APIRouter, Query

from castor_chassis import Page, normal_time, page
from trending_service.api.mappers import group_of
from trending_service.api.resources import CanRead, R
from trending_service.api.schemas.coordination import SuspectedGroup
from trending_service.api.schemas.fields import AsOf, Axis, Dataset, Entity, Place, scopes_of
from trending_service.topics.service import moment

router = APIRouter(prefix="/v1/trending", tags=["trending"])


@router.get("/coordination")
async def list_coordination(
    r: R,
    _: CanRead,
    as_of: AsOf = None,
    window_hours: Annotated[int, Query(ge=1, le=168, description="Length of the window that ends with as_of.")] = 24,
    place: Place = None,
    entity: Entity = None,
    axis: Axis = None,
    dataset: Dataset = None,
    limit: Annotated[int, Query(ge=1, le=100, description="At most so many groups.")] = 20,
) -> Page[SuspectedGroup]:
    """List accounts suspected of coordination: those that post the same thing within seconds, again and again.

    Largest group first. The null model keeps how often each account posted each thing in each half hour.
    """
    at = moment(as_of)
    found = await r.coordination.reports(at, timedelta(hours=window_hours), scopes_of(place, entity, axis, dataset))
    return page(
        [group_of(one) for one in found[:limit]], as_of=normal_time(at), window_hours=window_hours, groups=len(found)
    )
