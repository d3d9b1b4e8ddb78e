"""Intervals from the errors of back-tests: split conformal, adapted to recent misses, for each step ahead.

Adaptive conformal inference (Gibbs and Candès 2021): going through the back-tests in order, the level at which the
quantile of the earlier errors is taken rises after a miss and falls after a hit, so that intervals hold what they
promise also after the level of the series shifted. The same pass counts how often the intervals held.
"""

from __future__ import annotations

from bisect import insort
from dataclasses import dataclass

import numpy as np

from forecast_service.forecasts.scale import Vector

ADAPTATION = 0.02
"""Step of the level after each hit or miss."""
FEWEST_ERRORS = 10
"""Before so many errors are known, an interval of the back-test is not judged."""


@dataclass(frozen=True, slots=True)
class Intervals:
    """Half-widths by step ahead; ``coverage`` is the share of back-tested days within, None when none was judged."""

    half_widths: Vector
    coverage: float | None


def conformal_intervals(errors: Vector, level: float) -> Intervals:
    """Return half-widths that hold with probability ``level``, from errors by origin and step.

    The errors of a step are pooled with those one step nearer and farther; the width never narrows with distance. A
    step that was never observed has the width of the next one that was, and the last ones that of the widest; NaN
    where no step was.
    """
    steps = [_adapted(np.abs(errors), step, level) for step in range(errors.shape[1])]
    widths = np.array([width for width, _, _ in steps])
    for step in range(len(widths) - 2, -1, -1):
        widths[step] = widths[step + 1] if np.isnan(widths[step]) else widths[step]
    widths = np.fmax.accumulate(widths)
    judged = sum(count for _, _, count in steps)
    return Intervals(widths, sum(hits for _, hits, _ in steps) / judged if judged else None)


def _adapted(errors: Vector, step: int, level: float) -> tuple[float, int, int]:
    """Return the half-width of a step, and how many of how many judged days were within."""
    known: list[float] = []
    adapted, hits, judged = level, 0, 0
    for origin in range(len(errors)):
        # What was known at this origin: the errors of forecasts whose day was over by then.
        for earlier in _finished(errors, origin, step):
            insort(known, earlier)
        error = errors[origin, step]
        if len(known) >= FEWEST_ERRORS and not np.isnan(error):
            hit = bool(error <= _quantile(known, adapted))
            adapted += ADAPTATION * (level - hit)
            hits, judged = hits + hit, judged + 1
    every = errors[:, max(0, step - 1) : step + 2]
    return _quantile(sorted(every[~np.isnan(every)].tolist()), adapted), hits, judged


def _finished(errors: Vector, origin: int, step: int) -> list[float]:
    near = range(max(0, step - 1), min(errors.shape[1], step + 2))
    ended = [errors[origin - 1 - ahead, ahead] for ahead in near if origin - 1 - ahead >= 0]
    return [float(error) for error in ended if not np.isnan(error)]


def _quantile(ordered: list[float], level: float) -> float:
    """Return the conformal quantile: the ceil((n + 1) level)-th of n errors, or the largest; NaN of none."""
    if not ordered:
        return float("nan")
    rank = int(np.ceil((len(ordered) + 1) * level))
    return ordered[min(max(rank, 1), len(ordered)) - 1]
