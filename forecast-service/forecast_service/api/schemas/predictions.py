"""Wire models of predictions. Values and bounds are in points from 0 to 100."""

from __future__ import annotations

from datetime import date
from typing import Annotated

from pydantic import Field, StringConstraints

from castor_chassis import Integer, Number, RequestModel, ResponseModel, Timestamp
from forecast_service.api.schemas.fields import EntityId

PredictionId = Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{32}$")]


class PredictionRequest(RequestModel):
    """What to forecast."""

    entity: EntityId
    as_of: Timestamp | None = Field(None, description="As if nothing later had happened; default: now.")
    horizon_days: Annotated[Integer, Field(ge=1, le=30)] = 14
    level: Annotated[Number, Field(ge=0.5, le=0.99, description="Probability that the interval is to hold.")] = 0.8


class Point(ResponseModel):
    """The forecast of one day, in points."""

    date: date
    value: float
    low: float
    high: float


class Prediction(ResponseModel):
    """A forecast with an interval that past errors of the same method justify."""

    id: str
    entity: str
    as_of: Timestamp
    icce: float
    days_observed: int
    method: str = Field(description="'theta', or 'naive' where theta did no better in back-tests on this series.")
    skill: float | None = Field(
        description="1 - mean absolute error of theta / that of the last value, in back-tests on this series; null "
        "when unknown: the series never moved, or fewer than 10 days passed since a gap of more than 7 days."
    )
    level: float
    points: list[Point]
    last_observed: date | None = Field(
        None,
        description="Last day with an index; the first point is the day after. Null in older forecasts.",
    )
    data_age_days: int | None = Field(
        None, description="Days from last_observed to the last whole day before as_of; 0 when the data is fresh."
    )
    coverage: float | None = Field(
        None,
        description="Share of back-tested days within their interval of this level; null when too few were tested.",
    )
