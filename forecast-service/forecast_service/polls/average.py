"""A poll average with its own band: a level that wanders from day to day, and an effect of each pollster.

For the share p of a candidate, on the logit scale (a dynamic linear model after Jackman 2005, "Pooling the polls over
an election campaign"):

    level(day)  = level(day - 1) + N(0, drift^2)
    poll i      = level(day of i) + effect(pollster of i) + N(0, 1 / (n p (1 - p)) + excess^2)
    effect      ~ N(0, house^2), by pollster

1 / (n p (1 - p)) is the sampling variance of a simple random sample of n. ``excess`` is what polls scatter beyond it:
real errors are about twice the sampling error (Shirani-Mehr et al. 2018). Pollsters are taken to err independently of
each other, so few of them make a wide band; an error that all of them share cannot be seen in polls and is in no band.

Kalman filter and smoother are those of statsmodels. The three standard deviations are the mode of likelihood times
log-normal priors, which decide where there are few polls and give way where there are many.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from statistics import NormalDist
from typing import Any

import numpy as np
from numpy.typing import NDArray

from forecast_service.polls.model import AverageDay, CandidateAverage, HouseEffect, Poll

Vector = NDArray[np.float64]
FEWEST_POLLS = 3
_JUDGED_AFTER = 5
"""Polls before the first that is compared with the band that the earlier ones gave."""
_PRIOR_MEDIANS = np.array([0.02, 0.08, 0.1])
"""Of drift, excess and house. At a share of 25 percent: 0.4 points a day, 1.5 points, 1.9 points."""
_PRIOR_SCALE = 0.7
_WIDE = 3.0
"""Standard deviation of the first level: any share from 1 to 99 percent."""


@dataclass(frozen=True, slots=True)
class _Observed:
    """Polls of one candidate in the order of time; NaN for days without one. ``houses`` counts from 1, 0 for none."""

    days: NDArray[np.intp]
    values: Vector
    variances: Vector
    houses: NDArray[np.intp]


def average(candidate: str, polls: Sequence[Poll], until: date, level: float) -> CandidateAverage:
    """Return the average of ``candidate`` from the day of its first poll to ``until``, with bands of ``level``.

    Needs ``FEWEST_POLLS`` polls that ask for the candidate, all with their middle day not after ``until``.
    """
    asked = sorted((one for one in polls if candidate in dict(one.shares)), key=lambda one: (one.middle, one.pollster))
    first = asked[0].middle
    names = sorted({one.pollster for one in asked})
    observed = _observed(candidate, asked, names, first)
    noise = _estimated(observed, len(names))
    judged, within = _judged(observed, noise, len(names), level)
    daily = _with_every_day(observed, (until - first).days)
    states = _space(daily, noise, len(names)).smooth()
    z = NormalDist().inv_cdf((1 + level) / 2)
    last_of_day = np.flatnonzero(np.append(np.diff(daily.days), 1))
    means, deviations = states.smoothed_state[0], np.sqrt(states.smoothed_state_cov[0, 0])
    days = [_day(first, daily.days[at], means[at], z * deviations[at]) for at in last_of_day]
    effects = np.asarray(states.smoothed_state[1:, -1])
    errors = z * np.sqrt(np.diagonal(states.smoothed_state_cov[1:, 1:, -1]))
    counts = [sum(one.pollster == name for one in asked) for name in names]
    rows = zip(names, counts, effects, errors, strict=True)
    houses = [_house(name, count, means[-1], effect, error) for name, count, effect, error in rows]
    drift, excess, house = noise.tolist()
    return CandidateAverage(candidate, len(asked), tuple(days), tuple(houses), drift, excess, house, judged, within)


def _observed(candidate: str, polls: Sequence[Poll], names: Sequence[str], first: date) -> _Observed:
    sizes = np.array([one.sample_size for one in polls], dtype=np.float64)
    found = np.array([dict(one.shares)[candidate] for one in polls]) / 100
    # Half a person more on each side: nobody and everybody have a logit as well.
    shares = (found * sizes + 0.5) / (sizes + 1)
    return _Observed(
        np.array([(one.middle - first).days for one in polls]),
        np.log(shares / (1 - shares)),
        1 / (sizes * shares * (1 - shares)),
        np.array([1 + names.index(one.pollster) for one in polls]),
    )


def _with_every_day(observed: _Observed, last: int) -> _Observed:
    """Return the polls with a step without a value for each day up to ``last`` that has none."""
    empty = np.setdiff1d(np.arange(last + 1), observed.days)
    days = np.concatenate([observed.days, empty])
    order = np.argsort(days, kind="stable")
    nothing = np.full(len(empty), np.nan)
    return _Observed(
        days[order],
        np.concatenate([observed.values, nothing])[order],
        np.concatenate([observed.variances, np.ones(len(empty))])[order],
        np.concatenate([observed.houses, np.zeros(len(empty), dtype=np.intp)])[order],
    )


def _space(observed: _Observed, noise: Vector, houses: int) -> Any:
    """Return the model as a state space: the level, then the effects of the pollsters, which do not move."""
    from statsmodels.tsa.statespace.kalman_smoother import KalmanSmoother

    drift, excess, house = noise
    steps, states = len(observed.values), 1 + houses
    space = KalmanSmoother(k_endog=1, k_states=states, k_posdef=1)
    space.bind(observed.values[:, np.newaxis])
    design = np.zeros((1, states, steps))
    design[0, 0] = 1
    asked = np.flatnonzero(observed.houses)
    design[0, observed.houses[asked], asked] = 1
    space["design"], space["transition"] = design, np.eye(states)
    space["selection"] = np.eye(states, 1)
    # The step to the next poll takes as many days of drift as lie between them.
    space["state_cov"] = (drift**2 * np.append(np.diff(observed.days), 0))[np.newaxis, np.newaxis]
    space["obs_cov"] = (observed.variances + excess**2)[np.newaxis, np.newaxis]
    space.initialize_known(np.zeros(states), np.diag([_WIDE**2, *[house**2] * houses]))
    return space


def _estimated(observed: _Observed, houses: int) -> Vector:
    """Return drift, excess and house at the mode of likelihood times priors."""
    from scipy.optimize import minimize

    def loss(logs: Vector) -> float:
        distance = (logs - np.log(_PRIOR_MEDIANS)) / _PRIOR_SCALE
        return float(0.5 * distance @ distance - _space(observed, np.exp(logs), houses).loglike())

    found = minimize(loss, np.log(_PRIOR_MEDIANS), method="Nelder-Mead", options={"xatol": 0.02, "fatol": 0.01})
    return np.asarray(np.exp(found.x), dtype=np.float64)


def _judged(observed: _Observed, noise: Vector, houses: int, level: float) -> tuple[int, int]:
    """Return how many polls were compared with what the polls before them predicted, and how many lay in that band."""
    filtered = _space(observed, noise, houses).filter()
    scaled = filtered.forecasts_error[0] / np.sqrt(filtered.forecasts_error_cov[0, 0])
    later = np.abs(scaled[_JUDGED_AFTER:])
    return len(later), int((later <= NormalDist().inv_cdf((1 + level) / 2)).sum())


def _day(first: date, offset: int, mean: float, half_width: float) -> AverageDay:
    share, low, high = _percent(np.array([mean, mean - half_width, mean + half_width]))
    return AverageDay(first + timedelta(days=int(offset)), share, low, high)


def _house(name: str, polls: int, mean: float, effect: float, half_width: float) -> HouseEffect:
    """Return the effect as points of share at today's level."""
    at, *moved = _percent(mean + np.array([0, effect, effect - half_width, effect + half_width]))
    points, low, high = (value - at for value in moved)
    return HouseEffect(name, polls, points, low, high)


def _percent(logits: Vector) -> list[float]:
    return [float(value) for value in 100 / (1 + np.exp(-logits))]
