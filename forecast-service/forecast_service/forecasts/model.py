"""Records of the forecasts. Values and bounds are in points from 0 to 100."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass, field
from typing import Literal

from forecast_service.forecasts.history import least_half_width
from forecast_service.forecasts.methods import SEASON_DAYS, MethodName
from forecast_service.forecasts.options import Options
from forecast_service.indexes.model import EntityIndex

Note = Literal["no_skill", "skill_unknown", "recent_jump", "intervals_too_narrow", "stale", "conversation_is_not_votes"]
_FAR_BELOW = 0.1


@dataclass(frozen=True, slots=True)
class DailySeries:
    """Consecutive days from ``first`` on, None where nothing was observed; ``bounds`` as in ``Question``.

    ``half_widths`` say how far each day may lie from the truth for want of tweets; empty where that is not known.
    """

    first: dt.date
    values: tuple[float | None, ...]
    bounds: tuple[float, float] | None
    half_widths: tuple[float | None, ...] = ()

    @property
    def last(self) -> dt.date:
        """The last of the days."""
        return self.first + dt.timedelta(days=len(self.values) - 1)

    def question(self, options: Options) -> Question:
        """Return what to forecast from the series."""
        return Question(
            values=self.values,
            horizon=options.horizon_days,
            level=options.level,
            method=options.method,
            bounds=self.bounds,
            least_half_width=least_half_width(self.values, self.half_widths),
        )


@dataclass(frozen=True, slots=True)
class Question:
    """What to forecast: consecutive days, oldest first, None where nothing was observed.

    ``level`` in (0, 1) is the probability of the interval, which is nowhere narrower than ``least_half_width`` to
    each side, in the unit of the values; neither leaves ``bounds``.
    """

    values: tuple[float | None, ...]
    horizon: int
    level: float = 0.8
    method: MethodName | Literal["auto"] = "auto"
    season: int = SEASON_DAYS
    bounds: tuple[float, float] | None = (0.0, 100.0)
    least_half_width: float = 0.0


@dataclass(frozen=True, slots=True)
class Forecast:
    """Values and bounds for 1..h days ahead, and the method that made them: a name of ``METHODS``, or 'ensemble'.

    ``skill`` is 1 - mean absolute error / that of the last value, over the back-tests; None where the last
    value made no error at all, and where too few days passed since a gap of more than a week. ``coverage`` is the
    share of back-tested days that lay within their interval; None where there were too few.
    """

    method: str
    skill: float | None
    values: list[float]
    lows: list[float]
    highs: list[float]
    coverage: float | None = None
    weights: dict[str, float] = field(default_factory=dict)
    has_recent_jump: bool = False

    def notes(self, level: float) -> list[Note]:
        """Return what a reader must know about the worth of a forecast whose intervals promise ``level``."""
        found: list[Note] = []
        if self.skill is None:
            found.append("skill_unknown")
        elif self.skill <= 0:
            found.append("no_skill")
        if self.has_recent_jump:
            found.append("recent_jump")
        if self.coverage is not None and self.coverage < level - _FAR_BELOW:
            found.append("intervals_too_narrow")
        return found


@dataclass(frozen=True, slots=True)
class PredictedDay:
    """The forecast of one day."""

    date: dt.date
    value: float
    low: float
    high: float


@dataclass(frozen=True, slots=True)
class SeriesForecast:
    """A forecast of any daily series with what it rests on; ``data_age_days`` counts to the last whole day."""

    method: str
    skill: float | None
    coverage: float | None
    weights: dict[str, float]
    level: float
    days_observed: int
    days_missing: int
    last_observed: dt.date
    data_age_days: int
    notes: list[Note]
    points: list[PredictedDay]


@dataclass(frozen=True, slots=True)
class Prediction:
    """A forecast of an entity's ICCE as it is stored and answered; ``level`` is the probability of the interval.

    Those with defaults are missing in rows that an earlier version stored.
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
    weights: dict[str, float] = field(default_factory=dict)
    notes: list[Note] = field(default_factory=list)
    dataset: str | None = None


@dataclass(frozen=True, slots=True)
class Made:
    """A forecast of an entity, and the index that it was made from."""

    index: EntityIndex
    prediction: Prediction


@dataclass(frozen=True, slots=True)
class Comparison:
    """Forecasts of several entities as of one moment, and the error codes of those that have none."""

    as_of: dt.datetime
    made: list[Made]
    refused: dict[str, str]
