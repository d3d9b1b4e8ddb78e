"""The median of the same days of the seasons before, combined with the average of models.

One day on which many wrote moves a level and the week around it; the median of the last ``_SEASONS`` values of a
weekday it does not move. How much the median counts is learned from the errors that both made before: the share that
would have made the squared errors of both together smallest (Bates and Granger 1969, *The Combination of Forecasts*),
at most ``_MOST``, and drawn towards none while few origins are known. What is expected at an origin rests on nothing
that came after it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from forecast_service.forecasts.backtest import Structural, actual_of, origins_of
from forecast_service.forecasts.history import History
from forecast_service.forecasts.scale import Vector

_SEASONS, _MOST, _PRIOR_ORIGINS = 8, 0.5, 60
KIND = "season_median"


def with_season_median(structural: Structural, history: History, horizon: int, season: int) -> Structural:
    """Return what is expected with the medians: values, errors of the back-tests, and weights with the medians' own."""
    origins = origins_of(history)
    if not origins:
        return replace(structural, weights={**structural.weights, KIND: 0.0})
    medians = _medians(history, [*origins, len(history.values)], horizon, season)
    errors = medians[:-1] - actual_of(history, origins, horizon)
    apart = np.nan_to_num(structural.errors - errors)
    then, now = _shares(np.nan_to_num(structural.errors), apart)
    share = now if np.isfinite(medians[-1]).all() else 0.0
    moved = np.nan_to_num(structural.values - medians[-1])
    return replace(
        structural,
        errors=structural.errors - then[:, np.newaxis] * apart,
        values=structural.values - share * moved,
        weights={**{kind: weight * (1 - share) for kind, weight in structural.weights.items()}, KIND: share},
    )


def _medians(history: History, places: Sequence[int], horizon: int, season: int) -> Vector:
    """Return medians by place and step ahead of the values before each place, NaN where none is known.

    No value from before the last long gap counts.
    """
    ends = np.array(places)[:, np.newaxis]
    days = ends - _SEASONS * season + np.arange(_SEASONS * season)
    starts = np.array([history.starts[place - 1] for place in places])[:, np.newaxis]
    values = np.where(days >= starts, history.values[np.maximum(days, 0)], np.nan)
    # NaN is sorted to the end: the middle of what is known lies before it.
    ordered = np.sort(values.reshape(len(places), _SEASONS, season), axis=1)
    known = np.count_nonzero(~np.isnan(ordered), axis=1)[:, np.newaxis]
    middle = [
        np.take_along_axis(ordered, at, axis=1)[:, 0] for at in (np.maximum(known - 1, 0) // 2, known // 2 % _SEASONS)
    ]
    return np.asarray((middle[0] + middle[1])[:, np.arange(horizon) % season] / 2)


def _shares(errors: Vector, apart: Vector) -> tuple[Vector, float]:
    """Return the share of the medians at each origin and now, from ``errors`` and how far the medians lay ``apart``."""
    origins, horizon = errors.shape
    ends = np.arange(origins)[:, np.newaxis] + 1 + np.arange(horizon)
    gained, squares = (
        np.cumsum(np.bincount(ends.ravel(), (part * apart).ravel(), minlength=origins + horizon + 1))
        for part in (errors, apart)
    )
    count = np.minimum(np.arange(len(gained)), origins)
    shares = np.clip(gained / np.maximum(squares, np.finfo(float).tiny), 0, _MOST) * count / (count + _PRIOR_ORIGINS)
    return shares[:origins], float(shares[-1])
