"""Forecasting methods, all on the logit scale, so that no value or bound leaves 0 to 100."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

SEASON_DAYS = 7
_EDGE = 0.005
"""Distance that a share keeps from 0 and 1, where its logit would be infinite."""

Vector = NDArray[np.float64]
Mask = NDArray[np.bool_]
Method = Callable[[Vector, int], Vector]
"""Takes a daily series and a horizon h, returns the values of the next h days."""


def naive(series: Vector, horizon: int) -> Vector:
    """Return the last value for every day ahead."""
    return np.full(horizon, series[-1])


class DynamicTheta:
    """The dynamic optimised theta model (Fiorucci et al. 2016), with a weekly season from three weeks on.

    Importing statsforecast takes seconds, so it is imported when this object is made. Safe to call from several
    threads.
    """

    def __init__(self) -> None:
        from statsforecast.models import DynamicOptimizedTheta

        self._model: Any = DynamicOptimizedTheta

    def __call__(self, series: Vector, horizon: int) -> Vector:
        """Return the forecast means of the next ``horizon`` days."""
        season = SEASON_DAYS if len(series) >= 3 * SEASON_DAYS else 1
        fitted = self._model(season_length=season).forecast(y=series, h=horizon)
        return np.asarray(fitted["mean"], dtype=np.float64)


def to_logit(observed: Sequence[float | None]) -> tuple[Vector, Mask]:
    """Return points by day (None in gaps) on the logit scale, and which of these days were observed.

    Leading and trailing gaps are dropped; gaps within are bridged by straight lines.
    """
    values = np.array([np.nan if value is None else value for value in observed], dtype=np.float64)
    places = np.flatnonzero(~np.isnan(values))
    values = values[places[0] : places[-1] + 1]
    known = ~np.isnan(values)
    share = np.clip(values / 100, _EDGE, 1 - _EDGE)
    logit = np.log(share / (1 - share))
    filled = np.interp(np.arange(len(logit)), np.flatnonzero(known), logit[known])
    return filled, known


def to_points(logit: Vector) -> list[float]:
    """Return values of the logit scale as points from 0 to 100."""
    return [float(value) for value in 100 / (1 + np.exp(-logit))]
