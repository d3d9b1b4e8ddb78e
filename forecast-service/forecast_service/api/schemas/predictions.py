"""Wire models of forecasts. Values and bounds of an entity's ICCE are in points from 0 to 100."""

from __future__ import annotations

import datetime
from typing import Annotated, Any, Literal, Self

from pydantic import BeforeValidator, Field, model_validator

from castor_chassis import Integer, Number, Pattern, RequestModel, ResponseModel, Timestamp
from forecast_service.api.schemas.fields import DATASET, DatasetName, EntityId
from forecast_service.api.schemas.indexes import Event

Magnitude = Annotated[Number, Field(ge=-1e12, le=1e12)]
PredictionId = Annotated[str, Pattern(r"^[0-9a-f]{32}$", "must be 32 digits, 0 to 9 and a to f")]
HorizonDays = Annotated[Integer, Field(ge=1, le=30)]
Level = Annotated[Number, Field(ge=0.5, le=0.99, description="Probability that the interval is to hold.")]
MethodChoice = Literal["auto", "naive", "seasonal_naive", "theta", "ets", "ces", "prophet"]
METHOD = "'auto' is an average of structural models, weighed by their likelihood; or one method."
AS_OF = "As if nothing later had happened; default: now."
Note = Literal["no_skill", "skill_unknown", "recent_jump", "intervals_too_narrow", "stale", "conversation_is_not_votes"]


class Asked(RequestModel):
    """What may be chosen about any forecast."""

    horizon_days: HorizonDays = 14
    level: Level = 0.8
    method: MethodChoice = Field("auto", description=METHOD)


class PredictionRequest(Asked):
    """What to forecast."""

    entity: EntityId
    as_of: Timestamp | None = Field(None, description=AS_OF)
    dataset: DatasetName | None = Field(None, description=DATASET)


class Point(ResponseModel):
    """The forecast of one day, in points."""

    date: datetime.date
    value: float
    low: float
    high: float


class Worth(ResponseModel):
    """How a forecast was made and what it is worth."""

    method: str = Field(
        description="'ensemble', the method that was asked for, or 'naive' (the last value) where the series never "
        "moved or fewer than 10 days passed since a gap of more than 7 days."
    )
    skill: float | None = Field(
        description="1 - mean absolute error / that of the last value, in back-tests on this series; null when "
        "unknown: the series never moved, or fewer than 10 days passed since a gap of more than 7 days."
    )
    level: float
    points: list[Point]
    coverage: float | None = Field(
        None,
        description="Share of back-tested days within their interval of this level; null when too few were tested.",
    )
    weights: dict[str, float] = Field(
        {}, description="Weights of the kinds of models in the forecast, or 1 of one method; they sum to 1."
    )
    notes: list[Note] = Field(
        [],
        description="no_skill: not better than the last value; skill_unknown; recent_jump: one of the last 7 days lies "
        "farther from the day before than any earlier one, and the interval covers both levels; intervals_too_narrow: "
        "in back-tests they held less than they promise by more than 0.1; stale: the data does not reach the last "
        "whole day; conversation_is_not_votes: the index describes what is said, and does not predict a result.",
    )


class EntityForecast(Worth):
    """A forecast of an entity's ICCE with an interval that past errors of the same method justify."""

    entity: str
    dataset: str | None = Field(None, description="Data set that it was made from; null: all that is stored.")
    as_of: Timestamp
    icce: float
    days_observed: int
    last_observed: datetime.date | None = Field(
        None, description="Last day with an index; the first point is the day after. Null in older forecasts."
    )
    data_age_days: int | None = Field(
        None, description="Days from last_observed to the last whole day before as_of; 0 when the data is fresh."
    )


class ExpectedForecast(EntityForecast):
    """A forecast with what the calendar says of its days."""

    events: list[Event] = Field([], description="Elections and holidays of Colombia on the days that are forecast.")


class Prediction(EntityForecast):
    """A forecast that is stored."""

    id: str


class Refused(ResponseModel):
    """An entity without a forecast."""

    entity: str
    code: str = Field(description="too_few_days or data_too_old.")


class Compared(ResponseModel):
    """Forecasts of several entities as of one moment; their ICR has one base, all stored tweets."""

    as_of: Timestamp
    items: list[EntityForecast]
    refused: list[Refused]


def _only_a_day(value: Any) -> Any:
    # A moment would have to be moved into the zone in which the values were counted, which only the caller knows.
    if isinstance(value, str) and len(value) == len("2026-05-31"):
        return value
    raise ValueError("must be a day such as 2026-05-31, without a time")


Day = Annotated[datetime.date, BeforeValidator(_only_a_day)]


class DailyPoint(RequestModel):
    """One day of a posted series."""

    date: Day
    value: Magnitude | None = Field(description="null where nothing was observed, like a day that is left out.")


class Bounds(RequestModel):
    """Values that the series cannot leave, in its own unit."""

    lower: Magnitude
    upper: Magnitude

    @model_validator(mode="after")
    def _in_order(self) -> Self:
        if not self.lower < self.upper:
            raise ValueError("lower must be less than upper")
        return self


class SeriesRequest(Asked):
    """A daily series to forecast, in any order; days in the zone in which the values were counted."""

    items: list[DailyPoint] = Field(min_length=1, max_length=4000)
    as_of: Timestamp | None = Field(
        None, description="Later days are left out: as if nothing later had happened; default: now."
    )
    bounds: Bounds | None = Field(None, description="Neither a value nor an interval of the forecast leaves them.")


class SeriesForecast(Worth):
    """A forecast of a posted series, in its own unit."""

    days_observed: int
    days_missing: int = Field(description="Days without a value between the first and the last that have one.")
    last_observed: datetime.date = Field(description="The first point is the day after.")
    data_age_days: int = Field(description="Days from last_observed to the last whole day before as_of (Bogotá).")
