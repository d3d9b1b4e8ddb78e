"""Wire models of back-tests. Values are in the unit of the series; of an entity's ICCE in points."""

from __future__ import annotations

import datetime
from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from castor_chassis import Integer, Pattern, RequestModel, ResponseModel, Timestamp
from forecast_service.api.schemas.fields import DATASET, DatasetName, EntityId
from forecast_service.api.schemas.predictions import AS_OF, Bounds, DailyPoint, HorizonDays, Level, MethodChoice

BacktestId = Annotated[str, Pattern(r"^[0-9a-f]{32}$", "must be 32 digits, 0 to 9 and a to f")]


class BacktestRequest(RequestModel):
    """An entity, or a daily series, and what to test on it."""

    entity: EntityId | None = Field(None, description="Whose ICCE is tested; or give 'items'.")
    dataset: DatasetName | None = Field(None, description=DATASET)
    items: list[DailyPoint] | None = Field(None, min_length=1, max_length=4000, description="A daily series.")
    bounds: Bounds | None = Field(None, description="Of the posted series.")
    as_of: Timestamp | None = Field(None, description=AS_OF)
    methods: list[MethodChoice] = Field(
        ["auto", "seasonal_naive", "theta"], min_length=1, max_length=7, description="'prophet' takes longest."
    )
    horizon_days: HorizonDays = 14
    level: Level = 0.8
    origins: Annotated[Integer, Field(ge=1, le=60)] = Field(20, description="Earlier days that are forecast from.")
    every_days: Annotated[Integer, Field(ge=1, le=30)] = Field(1, description="Days between two of them.")

    @model_validator(mode="after")
    def _one_subject(self) -> Self:
        if (self.entity is None) == (self.items is None):
            raise ValueError("give either entity or items")
        if self.entity is not None and self.bounds is not None:
            raise ValueError("bounds belong to items; an entity's ICCE has its own")
        if self.items is not None and self.dataset is not None:
            raise ValueError("dataset belongs to entity")
        return self


class StepScore(ResponseModel):
    """Scores so many days ahead."""

    step: int = Field(description="Days ahead; 0 stands for all of them together.")
    judged: int = Field(description="Days that were forecast and observed.")
    error: float | None = Field(description="Mean absolute error; null where no day was observed.")
    skill: float | None = Field(
        description="1 - error / that of the last value on the same days; null where the last value made no error."
    )
    coverage: float | None = Field(description="Share of days within their interval.")
    winkler: float | None = Field(description="Mean interval score (Winkler 1972); less is better.")


class MethodScore(ResponseModel):
    """A method's scores."""

    method: str
    whole: StepScore
    steps: list[StepScore]


class PastForecast(ResponseModel):
    """What the first method said of a day, and what came."""

    date: datetime.date
    step: int
    value: float
    low: float
    high: float
    observed: float | None


class BacktestReport(ResponseModel):
    """A job, how far it is, and the scores of what is done."""

    id: str
    state: Literal["waiting", "running", "done", "failed"]
    done: int = Field(description="Origins that are tested.")
    total: int = Field(description="Origins to test.")
    error: str | None = Field(description="Why the job failed.")
    level: float
    created_at: Timestamp
    updated_at: Timestamp
    scores: list[MethodScore] = Field(description="In the order of 'methods'; empty while nothing is done.")
    forecasts: list[PastForecast] = Field(description="Of the first method, by origin and step.")
