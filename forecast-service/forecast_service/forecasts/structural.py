"""Structural models of a series, averaged by their likelihood: forecasts from every earlier day in one pass.

A series is a level that wanders, with or without a trend and a season, seen through noise (Harvey 1989, *Forecasting,
Structural Time Series Models and the Kalman Filter*). How strongly each of these moves is not estimated: the models
of a grid are filtered side by side and averaged with weights proportional to the likelihood of the values so far
(Hoeting et al. 1999, Bayesian model averaging), so what is expected on a day rests on nothing that came after it.

The gains of the filters and the variances of their forecasts do not depend on the values; they are computed once.
"""

from __future__ import annotations

import itertools
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from forecast_service.forecasts.scale import Vector

MAXIMUM_DAYS, MAXIMUM_HORIZON = 500, 40
"""Longest series and farthest step that a pass takes."""
_LEVEL_NOISE = (0.0, 0.001, 0.005, 0.02, 0.07, 0.25, 1.0, 8.0)
_SEASON = ((0.0, 0.0), (0.5, 0.0), (5.0, 0.0), (5.0, 0.02))
"""Variance of the season's values before any was seen, and that of their changes a day; the first has no season."""
_VAGUE = 1e4
_TREND_PRIOR, _LEAST_LEVEL_NOISE = 0.1, 0.03
"""Variance of a trend before any was seen, as a share of the level's noise. It does not change: a trend that changes
is a level that moves."""
_LEAST_VARIANCE = 1e-18
_KINDS = ("level", "trend", "level_season", "trend_season")


@dataclass(frozen=True, slots=True)
class _Models:
    """The grid, by model: variances relative to that of the noise, and 1 or 0 for a trend or none."""

    level_noise: Vector
    trend: Vector
    season_prior: Vector
    season_noise: Vector

    @classmethod
    def all(cls) -> _Models:
        grid = itertools.product(_LEVEL_NOISE, (0.0, 1.0), _SEASON)
        return cls(*np.array([(level, trend, *season) for level, trend, season in grid]).T)

    def kinds(self, weights: Vector) -> dict[str, float]:
        """Return the weight of each kind of model from those of all models."""
        kind = (self.trend + 2 * (self.season_prior > 0)).astype(int)
        return dict(zip(_KINDS, np.bincount(kind, weights, minlength=len(_KINDS)).tolist(), strict=True))


@dataclass(frozen=True, slots=True)
class _Filters:
    """What the values do not change. States are the level, the trend and the values of the season.

    ``gains`` by day, model and state; ``variances`` of the next value by day and model; ``ahead``: those of forecasts
    by number of days seen, step and model.
    """

    models: _Models
    gains: Vector
    variances: Vector
    ahead: Vector


@dataclass(frozen=True, slots=True)
class Expected:
    """Means and standard deviations by number of days seen, from ``first`` on, and step ahead; and the weights of the
    kinds of models after all days.
    """

    first: int
    means: Vector
    deviations: Vector
    weights: dict[str, float]


def expected(series: Vector, horizon: int, season: int, first: int) -> Expected:
    """Return what is expected after the first ``first`` values of ``series``, after one more, ..., and after all.

    The series has 1 to ``MAXIMUM_DAYS`` values; the horizon is at most ``MAXIMUM_HORIZON``.
    """
    filters = _filters(season)
    states, errors = _filtered(series, season, filters)
    weights, noise = _averaged(errors, filters.variances[: len(series)])
    seen = np.arange(first, len(series) + 1)
    means = _means(states[seen], seen, horizon, season)
    weight = weights[seen - 1, np.newaxis]
    mean = (weight * means).sum(axis=2)
    variances = noise[seen - 1, np.newaxis] * filters.ahead[seen, :horizon] + (means - mean[..., np.newaxis]) ** 2
    deviations = np.sqrt((weight * variances).sum(axis=2))
    return Expected(first, mean, deviations, filters.models.kinds(weights[-1]))


def _filtered(series: Vector, season: int, filters: _Filters) -> tuple[Vector, Vector]:
    """Return the states by number of days seen, model and state, and the errors of the next value by day and model."""
    count, size = filters.gains.shape[1:]
    state = np.zeros((count, size))
    state[:, 0] = series[0]
    states, errors = np.zeros((len(series) + 1, count, size)), np.zeros((len(series), count))
    for day, value in enumerate(series):
        state[:, 0] += state[:, 1]
        errors[day] = value - state[:, 0] - state[:, 2 + day % season]
        state += filters.gains[day] * errors[day][:, np.newaxis]
        states[day + 1] = state
    return states, errors


def _averaged(errors: Vector, variances: Vector) -> tuple[Vector, Vector]:
    """Return each model's weight and the variance of its noise after each day; the first day only sets the level."""
    known = np.arange(len(errors))[:, np.newaxis]
    squares, logarithms = errors**2 / variances, np.log(variances)
    squares[0] = logarithms[0] = 0
    summed = np.maximum(np.cumsum(squares, axis=0), _LEAST_VARIANCE)
    likelihood = -0.5 * (known * np.log(summed) + np.cumsum(logarithms, axis=0))
    weights = np.exp(likelihood - likelihood.max(axis=1, keepdims=True))
    return weights / weights.sum(axis=1, keepdims=True), summed / np.maximum(known - 1, 1)


def _means(states: Vector, seen: NDArray[np.intp], horizon: int, season: int) -> Vector:
    """Return forecasts by number of days seen, step and model."""
    steps = np.arange(horizon)
    slots = 2 + (seen[:, np.newaxis] + steps) % season
    seasonal = np.take_along_axis(states.transpose(0, 2, 1), slots[:, :, np.newaxis], axis=1)
    grown = (1 + steps)[:, np.newaxis] * states[:, np.newaxis, :, 1]
    return np.asarray(states[:, np.newaxis, :, 0] + grown + seasonal)


@lru_cache(maxsize=4)
def _filters(season: int) -> _Filters:
    models = _Models.all()
    count, size = len(models.trend), 2 + season
    noise = np.zeros((count, size))
    noise[:, 0], noise[:, 2:] = models.level_noise, models.season_noise[:, np.newaxis]
    step = np.eye(size)
    step[0, 1] = 1
    covariance, diagonal = _first_covariance(models, size), np.arange(size)
    gains, variances = np.zeros((MAXIMUM_DAYS, count, size)), np.zeros((MAXIMUM_DAYS, count))
    ahead = np.zeros((MAXIMUM_DAYS + 1, MAXIMUM_HORIZON, count))
    for day in range(MAXIMUM_DAYS):
        covariance = step @ covariance @ step.T
        covariance[:, diagonal, diagonal] += noise
        shared = covariance[:, :, 0] + covariance[:, :, 2 + day % season]
        variances[day] = shared[:, 0] + shared[:, 2 + day % season] + 1
        gains[day] = shared / variances[day][:, np.newaxis]
        covariance = covariance - gains[day][:, :, np.newaxis] * shared[:, np.newaxis, :]
        ahead[day + 1] = _variances_ahead(covariance, models, (day + 1 + np.arange(MAXIMUM_HORIZON)) % season)
    return _Filters(models, gains, variances, ahead)


def _first_covariance(models: _Models, size: int) -> Vector:
    covariance = np.zeros((len(models.trend), size, size))
    covariance[:, 0, 0] = _VAGUE
    covariance[:, 1, 1] = models.trend * _TREND_PRIOR * np.maximum(models.level_noise, _LEAST_LEVEL_NOISE)
    seasons = np.arange(2, size)
    covariance[:, seasons, seasons] = models.season_prior[:, np.newaxis]
    return covariance


def _variances_ahead(covariance: Vector, models: _Models, slots: NDArray[np.intp]) -> Vector:
    """Return the variances of forecasts by step and model from the covariance of today's states."""
    steps, places = np.arange(1, len(slots) + 1)[:, np.newaxis], 2 + slots
    level, trend, both = covariance[:, 0, 0], covariance[:, 1, 1], covariance[:, 0, 1]
    seasonal = covariance[:, places, places].T
    shared = covariance[:, 0, places].T + steps * covariance[:, 1, places].T
    moved = steps * (models.level_noise + models.season_noise)
    return np.asarray(1 + level + 2 * steps * both + steps**2 * trend + moved + seasonal + 2 * shared)
