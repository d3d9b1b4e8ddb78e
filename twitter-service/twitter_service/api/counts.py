"""HTTP: counts of tweets and sentiment by day and hour, and of tweets by axis."""

from __future__ import annotations

from datetime import date
from typing import Annotated

from fastapi import APIRouter, Depends, Query

from castor_chassis import (
    Cursor,
    Ok,
    Page,
    Paged,
    Principal,
    SinceDay,
    Timestamp,
    UntilDay,
    check_span,
    errors_of,
    ok,
    page,
    require,
)
from twitter_service.api.filters import CountFilters, Dataset
from twitter_service.api.resources import R
from twitter_service.api.schemas.counts import DailyAxes, DailyCount, HourlyCount, TotalCount
from twitter_service.errors import DatasetNotFound, EntityNotFound

router = APIRouter(prefix="/v1/twitter/counts")
CanCount = Annotated[Principal, Depends(require("counts:read"))]


@router.get("/total", tags=["entities"], responses=errors_of(DatasetNotFound))
async def get_total_counts(
    r: R,
    _: CanCount,
    dataset: Dataset = None,
    since: SinceDay = None,
    until: UntilDay = None,
    as_of: Annotated[Timestamp | None, Query(description="As if nothing later had been written.")] = None,
) -> Ok[TotalCount]:
    """Return tweets and sentiment of all tweets of a span, tracked or not."""
    check_span(since, until)
    return ok(TotalCount.model_validate(await r.queries.total(dataset, since, until, as_of), from_attributes=True))


@router.get("/daily", tags=["entities"], responses=errors_of(EntityNotFound, DatasetNotFound))
async def get_daily_counts(
    r: R,
    _: CanCount,
    filters: CountFilters,
    cursor: Paged,
) -> Page[DailyCount]:
    """Return tweets and sentiment by day of America/Bogota and entity; days without any tweet are gaps."""
    counts, following = await r.queries.counts(filters)
    return page([DailyCount.of(count) for count in counts], next_cursor=_next(cursor, following))


@router.get("/hourly", tags=["reading"], responses=errors_of(EntityNotFound, DatasetNotFound))
async def get_hourly_counts(
    r: R,
    _: CanCount,
    filters: CountFilters,
    cursor: Paged,
) -> Page[HourlyCount]:
    """Return tweets and sentiment by hour and entity, in days of America/Bogota; hours without any tweet are gaps."""
    counts, following = await r.queries.counts(filters, by_hour=True)
    return page([HourlyCount.of(count) for count in counts], next_cursor=_next(cursor, following))


@router.get("/axes", tags=["entities"], responses=errors_of(EntityNotFound, DatasetNotFound))
async def get_axis_counts(
    r: R,
    _: CanCount,
    filters: CountFilters,
    cursor: Paged,
) -> Page[DailyAxes]:
    """Return tweets by day of America/Bogota, entity and axis; a tweet counts on each axis that it names."""
    counts, following = await r.queries.axes(filters)
    return page([DailyAxes.of(count) for count in counts], next_cursor=_next(cursor, following))


def _next(cursor: Cursor, day: date | None) -> str | None:
    return None if day is None else cursor.following((day,))
