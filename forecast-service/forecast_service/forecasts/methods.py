"""Forecasting methods. They work on the scale of ``scale.py`` and know neither gaps nor dates."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Protocol

import numpy as np

from forecast_service.forecasts.scale import Vector

SEASON_DAYS = 7

Predictor = Callable[[Vector, int], Vector]
"""Takes a series and a horizon h, returns the values of the next h steps."""


class Method(Protocol):
    """A way to forecast."""

    def fit(self, series: Vector, season: int) -> Predictor:
        """Estimate parameters from ``series``; the predictor applies them to any longer history of it."""
        ...


class Naive:
    """The last value for every step ahead."""

    def fit(self, series: Vector, season: int) -> Predictor:  # noqa: ARG002 - it has no parameters
        """Return the predictor."""
        return lambda history, horizon: np.full(horizon, history[-1])


class DynamicTheta:
    """The dynamic optimised theta model (Fiorucci et al. 2016), seasonal where three seasons were seen.

    Importing statsforecast takes seconds, so it is imported when this object is made.
    """

    def __init__(self) -> None:
        from statsforecast.models import DynamicOptimizedTheta

        self._model: Any = DynamicOptimizedTheta

    def fit(self, series: Vector, season: int) -> Predictor:
        """Return the predictor."""
        fitted = self._model(season_length=season if len(series) >= 3 * season else 1).fit(series)
        return lambda history, horizon: _mean(fitted.forward(y=history, h=horizon))


def _mean(forecast: Any) -> Vector:
    return np.asarray(forecast["mean"], dtype=np.float64)
