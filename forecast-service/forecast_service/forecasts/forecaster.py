"""Forecasts of ICCE with intervals that the method's own past errors justify.

The series is forecast on the logit scale, so that no value or bound leaves 0 to 100, by the dynamic optimised
theta model (Fiorucci et al. 2016) with a weekly season. The interval is split conformal: the method is run from
earlier days as if they were today, and the errors it made h days ahead (pooled with those one day nearer and farther)
give the half-width at h, never less than at h - 1. Where theta was no better than the last value in
these runs, the last value is the forecast, and says so.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

SEASON_DAYS = 7
MINIMUM_TRAINING_DAYS = 10
MAXIMUM_ORIGINS = 40
_EDGE = 0.005

Vector = NDArray[np.float64]
Method = Callable[[Vector, int], Vector]


@dataclass(frozen=True, slots=True)
class Forecast:
    """Values and bounds for 1..h days ahead, in points."""

    method: str
    skill: float | None
    values: list[float]
    lows: list[float]
    highs: list[float]


class Forecaster:
    """Loads statsforecast (seconds), then forecasts in milliseconds. Safe to use from several threads."""

    def __init__(self) -> None:
        from statsforecast.models import DynamicOptimizedTheta

        self._model: Any = DynamicOptimizedTheta

    def forecast(self, observed: Sequence[float | None], horizon: int, level: float) -> Forecast:
        """Forecast ``horizon`` days after the last of ``observed`` (points by day, None in gaps).

        Leading and trailing gaps are dropped; gaps within are bridged for the fit alone, and errors are
        counted on observed days only. Needs at least ``MINIMUM_TRAINING_DAYS`` + 1 observed days.
        """
        series, known = _prepared(observed)
        errors = {
            "theta": _errors(self._theta, series, known, horizon),
            "naive": _errors(_naive, series, known, horizon),
        }
        skill = _skill(errors["theta"], errors["naive"])
        method = "theta" if skill is not None and skill > 0 else "naive"
        run = self._theta if method == "theta" else _naive
        centre = run(series, horizon)
        half = _half_widths(errors[method], horizon, level)
        return Forecast(method, skill, _points(centre), _points(centre - half), _points(centre + half))

    def _theta(self, series: Vector, horizon: int) -> Vector:
        season = SEASON_DAYS if len(series) >= 3 * SEASON_DAYS else 1
        fitted = self._model(season_length=season).forecast(y=series, h=horizon)
        return np.asarray(fitted["mean"], dtype=np.float64)


def _naive(series: Vector, horizon: int) -> Vector:
    return np.full(horizon, series[-1])


def _prepared(observed: Sequence[float | None]) -> tuple[Vector, NDArray[np.bool_]]:
    """Return the series on the logit scale with its gaps bridged by straight lines, and which days are known."""
    values = np.array([np.nan if value is None else value for value in observed], dtype=np.float64)
    places = np.flatnonzero(~np.isnan(values))
    values = values[places[0] : places[-1] + 1]
    known = ~np.isnan(values)
    share = np.clip(values / 100, _EDGE, 1 - _EDGE)
    logit = np.log(share / (1 - share))
    filled = np.interp(np.arange(len(logit)), np.flatnonzero(known), logit[known])
    return filled, known


def _points(logit: Vector) -> list[float]:
    return [float(value) for value in 100 / (1 + np.exp(-logit))]


def _errors(method: Method, series: Vector, known: NDArray[np.bool_], horizon: int) -> list[list[float]]:
    """Return the absolute errors on the logit scale, one list for each day ahead."""
    errors: list[list[float]] = [[] for _ in range(horizon)]
    origins = range(MINIMUM_TRAINING_DAYS, len(series))
    for origin in origins[-MAXIMUM_ORIGINS:]:
        ahead = min(horizon, len(series) - origin)
        made = method(series[:origin], ahead)
        for step in range(ahead):
            if known[origin + step]:
                errors[step].append(abs(float(made[step] - series[origin + step])))
    return errors


def _skill(theta: list[list[float]], naive: list[list[float]]) -> float | None:
    ours, theirs = sum(map(sum, theta)), sum(map(sum, naive))
    return 1 - ours / theirs if theirs > 0 else None


def _half_widths(errors: list[list[float]], horizon: int, level: float) -> Vector:
    """Return the conformal half-width of each day ahead; it never narrows with distance."""
    widths = np.zeros(horizon)
    for step in range(horizon):
        pool = [error for near in errors[max(0, step - 1) : step + 2] for error in near]
        rank = np.ceil((len(pool) + 1) * level)
        widths[step] = max(pool, default=0.0) if rank > len(pool) else sorted(pool)[int(rank) - 1]
    return np.maximum.accumulate(widths)
