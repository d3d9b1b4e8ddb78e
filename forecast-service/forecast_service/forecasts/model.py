"""Records of the forecasts. Values and bounds are in points from 0 to 100."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Forecast:
    """Values and bounds for 1..h days ahead, and the method that made them.

    ``skill`` is 1 - mean absolute error of theta / that of the last value, over the back-tests; None where the last
    value made no error at all, and where too few days passed since a gap of more than a week. ``coverage`` is the
    share of back-tested days that lay within their interval; None where there were too few.
    """

    method: str
    skill: float | None
    values: list[float]
    lows: list[float]
    highs: list[float]
    coverage: float | None = None


@dataclass(frozen=True, slots=True)
class PredictedDay:
    """The forecast of one day."""

    date: dt.date
    value: float
    low: float
    high: float


@dataclass(frozen=True, slots=True)
class Prediction:
    """A forecast of an entity's ICCE as it is stored and answered; ``level`` is the probability of the interval.

    The last three are None in rows that an earlier version stored.
    """

    id: str
    entity: str
    as_of: dt.datetime
    icce: float
    days_observed: int
    method: str
    skill: float | None
    level: float
    points: list[PredictedDay]
    last_observed: dt.date | None = None
    data_age_days: int | None = None
    coverage: float | None = None
