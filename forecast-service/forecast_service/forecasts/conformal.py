"""Intervals from what is expected and from how far earlier forecasts erred: adaptive conformal inference.

An error counts in the standard deviations that were expected for that day and distance: those of the structural models,
and for another method what it had erred by until then. Such scores of all distances are pooled. The interval ends at
the conformal quantile of the scores, taken together with the quantile of Student's t distribution: weighted
geometrically, by the number of back-tests that the scores come from, and by ``PRIOR_ORIGINS``. The level of the
quantile rises after misses and falls after hits (Gibbs and Candès 2021), so that intervals hold what they promise also
after the series changed. The same pass counts how often they held.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.special import stdtrit

from forecast_service.forecasts.scale import Vector

ADAPTATION = 0.02
"""Step of the level after each day's hits and misses."""
FEWEST_ERRORS = 10
"""Before so many errors are known, and some of every distance, an interval of the back-test is not judged."""
PRIOR_ORIGINS, _DEGREES_OF_FREEDOM, _FARTHEST = 40, 10, 3.0
"""The conformal quantile is moved to within ``_FARTHEST`` times and a ``_FARTHEST``-th of the expected one."""
_PRIOR_ERRORS, _LEAST_SPREAD = 3, 1e-9


@dataclass(frozen=True, slots=True)
class Intervals:
    """Half-widths by step ahead; ``coverage`` is the share of back-tested days within, None when none was judged."""

    half_widths: Vector
    coverage: float | None


def conformal_intervals(errors: Vector, spreads: Vector, ahead: Vector, level: float) -> Intervals:
    """Return half-widths that hold with probability ``level``.

    ``errors`` are those of back-tests by origin (oldest first) and step, NaN where unknown, ``spreads`` the standard
    deviations that were expected then, ``ahead`` those that are expected now by step. No width is below one nearer; a
    step that was never observed is at least as wide as the next.
    """
    scores = np.abs(errors) / np.maximum(spreads, _LEAST_SPREAD)
    adapted, hits = _adapted(scores, level)
    widths = _quantile(scores, level, adapted) * ahead
    for step in range(len(widths) - 2, -1, -1):
        if np.isnan(errors[:, step]).all():
            widths[step] = max(widths[step], widths[step + 1])
    judged = ~np.isnan(hits)
    return Intervals(np.fmax.accumulate(widths), float(hits[judged].mean()) if judged.any() else None)


def erred(errors: Vector, spreads: Vector, ahead: Vector) -> tuple[Vector, Vector]:
    """Return what to expect of a method by its own errors: its spreads at each origin and now.

    They are roots of the mean squares of the errors of each step that were known by then, together with the spreads of
    the structural models, which count as ``_PRIOR_ERRORS`` errors.
    """
    squares, known = np.nan_to_num(errors**2), ~np.isnan(errors)
    sums, counts = np.cumsum(squares, axis=0), np.cumsum(known, axis=0)
    then = spreads.copy()
    for step in range(errors.shape[1]):
        # At origin o the last known error of a step s is that of origin o - s - 1.
        late, last = slice(step + 1, None), max(len(errors) - step - 1, 0)
        prior = _PRIOR_ERRORS * spreads[late, step] ** 2
        then[late, step] = np.sqrt((sums[:last, step] + prior) / (counts[:last, step] + _PRIOR_ERRORS))
    now = (squares.sum(axis=0) + _PRIOR_ERRORS * ahead**2) / (known.sum(axis=0) + _PRIOR_ERRORS)
    return then, np.sqrt(now)


def _adapted(scores: Vector, level: float) -> tuple[float, Vector]:
    """Return the level after all origins, and by origin and step 1 for a hit, 0 for a miss and NaN for neither."""
    origins, horizon = scores.shape
    hits, adapted = np.full(scores.shape, np.nan), level
    ends = np.arange(origins)[:, np.newaxis] + np.arange(horizon)
    for origin in range(origins + 1):
        # Known at this origin are the errors of forecasts whose day was over by then; at the last, now, all are.
        over = hits[ends == origin - 1]
        if (judged := ~np.isnan(over)).any():
            adapted += ADAPTATION * (level - over[judged].mean())
        if origin == origins:
            break
        known = np.where(ends < origin, scores, np.nan)[:origin]
        if origin >= horizon and np.count_nonzero(~np.isnan(known)) >= FEWEST_ERRORS:
            inside = scores[origin] <= _quantile(known, level, adapted)
            hits[origin] = np.where(np.isnan(scores[origin]), np.nan, inside)
    return adapted, hits


def _quantile(scores: Vector, level: float, adapted: float) -> float:
    """Return by how many standard deviations an interval ends."""
    expected = float(stdtrit(_DEGREES_OF_FREEDOM, (1 + level) / 2))
    known = ~np.isnan(scores)
    ordered = np.sort(scores[known])
    if not len(ordered):
        return expected
    rank = int(np.ceil((len(ordered) + 1) * adapted))
    seen = ordered[min(max(rank, 1), len(ordered)) - 1]
    tests = int(known.sum(axis=0).max())
    moved = np.clip(seen / expected, 1 / _FARTHEST, _FARTHEST)
    return float(expected * moved ** (tests / (tests + PRIOR_ORIGINS)))
