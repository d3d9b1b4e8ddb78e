"""Wire models of forecast-service. ICCE and its parts are in points from 0 to 100, shares in [0, 1]."""

from __future__ import annotations

from datetime import date
from typing import Annotated

from pydantic import Field, StringConstraints

from castor_chassis import Integer, Number, RequestModel, ResponseModel, Timestamp

EntityId = Annotated[str, StringConstraints(pattern=r"^[a-z0-9][a-z0-9_-]{0,63}$")]
PredictionId = Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{32}$")]


class DayValue(ResponseModel):
    """One day in America/Bogota."""

    date: date
    tweets: int = Field(description="Tweets that count for the entity.")
    gap: bool = Field(description="True when nothing was observed: no tweet of anybody is stored, or none is scored.")
    icce: float | None = Field(description="100 (alpha (isn + 1) / 2 + (1 - alpha) icr); null in a gap.")
    isn: float | None = Field(description="Share of positive less share of negative tweets, in [-1, 1].")
    icr: float | None = Field(description="The entity's share of all tweets of the day, in [0, 1].")
    smoothed: float | None = Field(description="Exponential moving average of icce over observed days.")
    momentum: float | None = Field(description="Change of 'smoothed' since the observed day before, in points.")


class Series(ResponseModel):
    """The index of one entity, day by day."""

    entity: str
    as_of: Timestamp
    icce: float | None = Field(description="Of the last observed day, in points; null when there is none.")
    trend: str = Field(description="up, down or stable: whether 'momentum' of the last day passes one point.")
    days_observed: int
    items: list[DayValue]


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
        description="1 - mean absolute error of theta / that of the last value, in back-tests on this series."
    )
    level: float
    points: list[Point]
