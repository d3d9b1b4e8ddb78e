"""Records of the forecasts. Values and bounds are in points from 0 to 100."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Forecast:
    """Values and bounds for 1..h days ahead, and the method that made them.

    ``skill`` is 1 - mean absolute error of theta / that of the last value, over the back-tests; None where the last
    value made no error at all.
    """

    method: str
    skill: float | None
    values: list[float]
    lows: list[float]
    highs: list[float]


@dataclass(frozen=True, slots=True)
class PredictedDay:
    """The forecast of one day."""

    date: dt.date
    value: float
    low: float
    high: float


@dataclass(frozen=True, slots=True)
class Prediction:
    """A forecast of an entity's ICCE as it is stored and answered; ``level`` is the probability of the interval."""

    id: str
    entity: str
    as_of: dt.datetime
    icce: float
    days_observed: int
    method: str
    skill: float | None
    level: float
    points: list[PredictedDay]
