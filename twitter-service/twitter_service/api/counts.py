"""HTTP: counts of tweets and sentiment by day and hour."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Depends, Query

from castor_chassis import Ok, Page, Principal, Timestamp, errors_of, ok, page, require
from twitter_service.api.filters import WantedCounts
from twitter_service.api.resources import R
from twitter_service.api.schemas.counts import DailyCount, HourlyCount, TotalCount
from twitter_service.api.schemas.fields import Day
from twitter_service.errors import EntityNotFound

router = APIRouter(prefix="/v1/twitter/counts")
CanCount = Annotated[Principal, Depends(require("counts:read"))]


@router.get("/total", tags=["entities"])
async def total_counts(
    r: R,
    _: CanCount,
    since: Annotated[Day | None, Query(description="First day (a moment: its Bogota day).")] = None,
    until: Annotated[Day | None, Query(description="Last day, inclusive.")] = None,
    as_of: Annotated[Timestamp | None, Query(description="As if nothing later had been written.")] = None,
) -> Ok[TotalCount]:
    """Return tweets and sentiment of all tweets of a span, tracked or not."""
    return ok(TotalCount.model_validate(await r.reader.total(since, until, as_of)))


@router.get("/daily", tags=["entities"], responses=errors_of(EntityNotFound))
async def daily_counts(
    r: R,
    _: CanCount,
    wanted: WantedCounts,
) -> Page[DailyCount]:
    """Return tweets and sentiment by day of America/Bogota and entity; days without any tweet are gaps."""
    rows, next_cursor = await r.reader.counts(wanted)
    return page([DailyCount.model_validate(row) for row in rows], next_cursor=next_cursor)


@router.get("/hourly", tags=["reading"], responses=errors_of(EntityNotFound))
async def hourly_counts(
    r: R,
    _: CanCount,
    wanted: WantedCounts,
) -> Page[HourlyCount]:
    """Return tweets and sentiment by hour and entity, in days of America/Bogota; hours without any tweet are gaps."""
    rows, next_cursor = await r.reader.counts(wanted, by_hour=True)
    return page([HourlyCount.model_validate(row) for row in rows], next_cursor=next_cursor)
