"""Routes of the indexes."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Query

from castor_chassis import Ok, Timestamp, errors_of, ok
from forecast_service.api.mappers import series_of
from forecast_service.api.resources import CanRead, R
from forecast_service.api.schemas.fields import EntityId
from forecast_service.api.schemas.indexes import Series
from forecast_service.errors import EntityNotFound

router = APIRouter(prefix="/v1/forecast", tags=["forecast"])


@router.get("/icce", responses=errors_of(EntityNotFound))
async def read_icce(
    r: R,
    _: CanRead,
    entity: EntityId,
    as_of: Annotated[Timestamp | None, Query(description="As if nothing later had happened; default: now.")] = None,
    days_back: Annotated[int, Query(ge=1, le=730)] = 90,
) -> Ok[Series]:
    """Return an entity's ICCE by day, up to the last whole day before as_of."""
    return ok(series_of(await r.indexes.index(entity, as_of, days_back)))
