"""Forecasting methods that a caller can choose instead of the ensemble. They work on the scale of ``scale.py`` and know
neither gaps nor dates.

The libraries take seconds to import, so each method imports its own when it is first fitted.
"""

from __future__ import annotations

import importlib
import logging
import sys
from collections.abc import Callable
from dataclasses import dataclass
from importlib.util import find_spec, module_from_spec
from typing import Any, Literal

import numpy as np

from forecast_service.forecasts.scale import Vector

SEASON_DAYS = 7
MAXIMUM_ORIGINS = 60
"""Days that a back-test forecasts from, at most."""
_PROPHET_SEASONS = 2
"""Fewer seasons than this are no evidence of a season."""

MethodName = Literal["naive", "seasonal_naive", "theta", "ets", "ces", "prophet"]
Predictor = Callable[[Vector, int], Vector]
"""Takes a series and a horizon h, returns the values of the next h steps."""
Fit = Callable[[Vector, int], Predictor]
"""Takes a series and the length of its season; the predictor applies the parameters to any longer history of it."""


@dataclass(frozen=True, slots=True)
class Method:
    """A way to forecast.

    A back-test estimates its parameters at every ``refit_every``-th origin, and forecasts from every
    ``origin_step``-th of the latest ``origins``.
    """

    fit: Fit
    refit_every: int = 10
    origin_step: int = 1
    origins: int = 40


def naive(series: Vector, season: int) -> Predictor:  # noqa: ARG001 - it has no parameters
    """The last value for every step ahead."""
    return lambda history, horizon: np.full(horizon, history[-1])


def seasonal_naive(series: Vector, season: int) -> Predictor:
    """The value of the same place in the last season; the last value where no season is over."""
    if len(series) < season:
        return naive(series, season)
    return lambda history, horizon: np.resize(history[-season:], horizon)


def theta(series: Vector, season: int) -> Predictor:
    """The dynamic optimised theta model (Fiorucci et al. 2016)."""
    return _statsforecast(_models().DynamicOptimizedTheta(season_length=_season_seen(series, season)), series)


def ets(series: Vector, season: int) -> Predictor:
    """Exponential smoothing with additive errors; trend and season are chosen by AICc (Hyndman et al. 2002)."""
    return _statsforecast(_models().AutoETS(season_length=_season_seen(series, season), model="AZZ"), series)


def ces(series: Vector, season: int) -> Predictor:
    """Complex exponential smoothing, its kind of season chosen by AICc (Svetunkov et al. 2022)."""
    return _statsforecast(_models().AutoCES(season_length=_season_seen(series, season), model="Z"), series)


def prophet(series: Vector, season: int) -> Predictor:
    """Prophet (Taylor and Letham 2018) with one season; it forecasts from the end of ``series`` only."""
    import pandas as pd

    logging.getLogger("cmdstanpy").disabled = True
    from prophet import Prophet

    model = Prophet(uncertainty_samples=0, yearly_seasonality=False, weekly_seasonality=False, daily_seasonality=False)
    if len(series) >= _PROPHET_SEASONS * season > _PROPHET_SEASONS:
        model.add_seasonality("season", period=season, fourier_order=min(3, season // 2))
    days = pd.date_range("2000-01-01", periods=len(series))
    model.fit(pd.DataFrame({"ds": days, "y": series}))

    def predict(history: Vector, horizon: int) -> Vector:
        ahead = pd.date_range(days[0] + pd.Timedelta(days=len(history)), periods=horizon)
        return np.asarray(model.predict(pd.DataFrame({"ds": ahead}))["yhat"], dtype=np.float64)

    return predict


METHODS: dict[MethodName, Method] = {
    "naive": Method(naive, origins=MAXIMUM_ORIGINS),
    "seasonal_naive": Method(seasonal_naive),
    "theta": Method(theta),
    "ets": Method(ets, refit_every=20),
    "ces": Method(ces),
    # It cannot apply old parameters to new values, so each origin is a fit of 0.1 to 0.3 seconds.
    "prophet": Method(prophet, refit_every=1, origin_step=5),
}


def _season_seen(series: Vector, season: int) -> int:
    """Return the season, or 1 where fewer than three of them were seen."""
    return season if len(series) >= 3 * season else 1


def _models() -> Any:
    """Return statsforecast's models without what its ``__init__`` imports: a cluster engine and 170 MB of pyarrow."""
    if "statsforecast" not in sys.modules and (spec := find_spec("statsforecast")):
        sys.modules["statsforecast"] = module_from_spec(spec)
    return importlib.import_module("statsforecast.models")


def _statsforecast(model: Any, series: Vector) -> Predictor:
    fitted = model.fit(series)
    return lambda history, horizon: np.asarray(fitted.forward(y=history, h=horizon)["mean"], dtype=np.float64)
