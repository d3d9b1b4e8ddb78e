"""Routes of predictions."""

from __future__ import annotations

from fastapi import APIRouter

from castor_chassis import IdempotencyInFlight, Ok, Once, Unavailable, errors_of, ok
from forecast_service.api.mappers import options_of
from forecast_service.api.resources import CanRead, R
from forecast_service.api.schemas.predictions import Prediction, PredictionId, PredictionRequest
from forecast_service.errors import DatasetNotFound, DataTooOld, EntityNotFound, PredictionNotFound, TooFewDays

router = APIRouter(prefix="/v1/forecast", tags=["forecast"])


@router.post(
    "/predictions",
    status_code=201,
    responses=errors_of(EntityNotFound, DatasetNotFound, TooFewDays, DataTooOld, Unavailable, IdempotencyInFlight),
)
async def make_prediction(body: PredictionRequest, r: R, _: CanRead, _once: Once) -> Ok[Prediction]:
    """Forecast an entity's ICCE. Idempotent: the same question on the same data is the same forecast."""
    made = await r.forecasts.predict(body.entity, body.as_of, options_of(body), body.dataset)
    return ok(Prediction.model_validate(made, from_attributes=True))


@router.get("/predictions/{prediction_id}", responses=errors_of(PredictionNotFound))
async def read_prediction(prediction_id: PredictionId, r: R, _: CanRead) -> Ok[Prediction]:
    """Return a forecast that was made."""
    return ok(Prediction.model_validate(await r.forecasts.prediction(prediction_id), from_attributes=True))
