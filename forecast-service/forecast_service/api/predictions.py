"""HTTP: the index and its forecasts."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Depends, Query, Request

from castor_chassis import Ok, Principal, Timestamp, Unavailable, errors_of, ok, require
from forecast_service.api.schemas.predictions import EntityId, Prediction, PredictionId, PredictionRequest, Series
from forecast_service.errors import EntityNotFound, PredictionNotFound, TooFewDays
from forecast_service.forecasts.service import Outlook

router = APIRouter(prefix="/v1/forecast", tags=["forecast"])


async def outlook(request: Request) -> Outlook:
    """Return what the routes use."""
    found: Outlook = request.app.state.resources
    return found


O = Annotated[Outlook, Depends(outlook)]  # noqa: E741
CanRead = Annotated[Principal, Depends(require("forecasts:read"))]


@router.get("/icce", responses=errors_of(EntityNotFound))
async def read_icce(
    o: O,
    _: CanRead,
    entity: EntityId,
    as_of: Annotated[Timestamp | None, Query(description="As if nothing later had happened; default: now.")] = None,
    days_back: Annotated[int, Query(ge=1, le=730)] = 90,
) -> Ok[Series]:
    """Return an entity's ICCE by day, up to the last whole day before as_of."""
    return ok(Series.model_validate(await o.series(entity, as_of, days_back)))


@router.post("/predictions", status_code=201, responses=errors_of(EntityNotFound, TooFewDays, Unavailable))
async def make_prediction(body: PredictionRequest, o: O, _: CanRead) -> Ok[Prediction]:
    """Forecast an entity's ICCE. Idempotent: the same question on the same data is the same forecast."""
    made = await o.predict(body.entity, body.as_of, body.horizon_days, body.level)
    return ok(Prediction.model_validate(made))


@router.get("/predictions/{prediction_id}", responses=errors_of(PredictionNotFound))
async def read_prediction(prediction_id: PredictionId, o: O, _: CanRead) -> Ok[Prediction]:
    """Return a forecast that was made."""
    return ok(Prediction.model_validate(await o.prediction(prediction_id)))
