"""Routes of forecasts that are not stored."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Annotated

from fastapi import APIRouter, Depends, Query

from castor_chassis import Ok, Timestamp, Unavailable, errors_of, ok
from forecast_service.api.change_mapper import events_of
from forecast_service.api.mappers import comparison_of, options_of
from forecast_service.api.resources import CanRead, R
from forecast_service.api.schemas.fields import DATASET, DatasetName, EntityId
from forecast_service.api.schemas.predictions import (
    AS_OF,
    METHOD,
    Compared,
    ExpectedForecast,
    MethodChoice,
    SeriesForecast,
    SeriesRequest,
)
from forecast_service.errors import (
    DatasetNotFound,
    DataTooOld,
    EntityNotFound,
    NoVariation,
    SeriesTooOld,
    TooFewDays,
    TooFewValues,
    UnusableSeries,
)
from forecast_service.forecasts.options import Options
from forecast_service.forecasts.posted import PostedSeries

router = APIRouter(prefix="/v1/forecast", tags=["forecast"])
AsOf = Annotated[Timestamp | None, Query(description=AS_OF)]
InDataset = Annotated[DatasetName | None, Query(description=DATASET)]
HorizonDays = Annotated[int, Query(ge=1, le=30)]
Level = Annotated[float, Query(ge=0.5, le=0.99, description="Probability that the interval is to hold.")]
SeveralEntities = Annotated[
    list[EntityId], Query(min_length=2, max_length=10, description="Repeat it for each entity.")
]


@dataclass(frozen=True, slots=True)
class AskedForecast:
    """A forecast that is asked for: as of a moment, from the tweets of a data set."""

    as_of: datetime | None
    dataset: str | None
    options: Options


async def _asked(
    as_of: AsOf = None,
    horizon_days: HorizonDays = 14,
    level: Level = 0.8,
    method: Annotated[MethodChoice, Query(description=METHOD)] = "auto",
    dataset: InDataset = None,
) -> AskedForecast:
    return AskedForecast(as_of, dataset, Options(horizon_days, level, method))


Asked = Annotated[AskedForecast, Depends(_asked)]


@router.post("/series", responses=errors_of(UnusableSeries, TooFewValues, NoVariation, SeriesTooOld, Unavailable))
async def forecast_series(body: SeriesRequest, r: R, _: CanRead) -> Ok[SeriesForecast]:
    """Forecast a posted daily series. Nothing is stored; the same series gives the same answer."""
    days = [(item.date, item.value) for item in body.items]
    bounds = (body.bounds.lower, body.bounds.upper) if body.bounds else None
    made = await r.posted.forecast(PostedSeries(days, body.as_of, bounds), options_of(body))
    return ok(SeriesForecast.model_validate(made, from_attributes=True))


@router.get(
    "/entities/{entity}", responses=errors_of(EntityNotFound, DatasetNotFound, TooFewDays, DataTooOld, Unavailable)
)
async def forecast_entity(
    entity: EntityId,
    r: R,
    _: CanRead,
    asked: Asked,
) -> Ok[ExpectedForecast]:
    """Forecast an entity's ICCE without storing the forecast."""
    made = await r.forecasts.forecast(entity, asked.as_of, asked.options, asked.dataset)
    answer = ExpectedForecast.model_validate(made, from_attributes=True)
    answer.events = events_of(answer.points[0].date, answer.points[-1].date)
    return ok(answer)


@router.get("/compare", responses=errors_of(EntityNotFound, DatasetNotFound, Unavailable))
async def compare_entities(
    r: R,
    _: CanRead,
    entity: SeveralEntities,
    asked: Asked,
) -> Ok[Compared]:
    """Forecast several entities as of one moment and on one base; each without a forecast is named with the reason."""
    entities = list(dict.fromkeys(entity))
    return ok(comparison_of(await r.forecasts.compare(entities, asked.as_of, asked.options, asked.dataset)))
