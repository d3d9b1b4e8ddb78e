"""Records of back-tests. Values are in the unit of the series; for an entity's ICCE points from 0 to 100."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from typing import Literal

from forecast_service.forecasts.methods import MethodName

State = Literal["waiting", "running", "done", "failed"]
Tested = MethodName | Literal["auto"]


@dataclass(frozen=True, slots=True)
class Plan:
    """What is tested: a series of consecutive days from ``first`` on, and how.

    Forecasts of ``horizon`` days are made from the latest ``origins`` days that are ``every`` days apart.
    ``half_widths`` are those of ``DailySeries``; None in rows of earlier versions, whose forecasts all were given the
    ``least_half_width`` that the end of the series has.
    """

    first: dt.date
    values: tuple[float | None, ...]
    bounds: tuple[float, float] | None
    least_half_width: float
    methods: tuple[Tested, ...]
    horizon: int
    level: float
    origins: int
    every: int
    half_widths: tuple[float | None, ...] | None = None


@dataclass(frozen=True, slots=True)
class Made:
    """A forecast from one origin, day by day."""

    method: Tested
    values: list[float]
    lows: list[float]
    highs: list[float]


@dataclass(frozen=True, slots=True)
class OriginResult:
    """Forecasts of every method from the days before ``place``."""

    place: int
    made: list[Made]


@dataclass(frozen=True, slots=True)
class StepScore:
    """Scores of a method so many days ahead, over ``judged`` days that were observed; None where there was none.

    ``skill`` is 1 - mean absolute error / that of the last value on the same days, ``winkler`` the mean interval score
    of Winkler (1972): the width, and for a miss 2 / (1 - level) of the distance.
    """

    step: int
    judged: int
    error: float | None
    skill: float | None
    coverage: float | None
    winkler: float | None


@dataclass(frozen=True, slots=True)
class MethodScore:
    """Scores of a method over all steps, and of each."""

    method: str
    whole: StepScore
    steps: list[StepScore]


@dataclass(frozen=True, slots=True)
class PastForecast:
    """What was forecast for a day, ``step`` days before it ended, and what came."""

    date: dt.date
    step: int
    value: float
    low: float
    high: float
    observed: float | None


@dataclass(frozen=True, slots=True)
class Report:
    """Scores by method, and the forecasts of the first method."""

    scores: list[MethodScore]
    forecasts: list[PastForecast]


@dataclass(frozen=True, slots=True)
class Backtest:
    """A job and how far it is; ``error`` says why it failed."""

    id: str
    plan: Plan
    state: State
    done: int
    total: int
    error: str | None
    created_at: dt.datetime
    updated_at: dt.datetime
