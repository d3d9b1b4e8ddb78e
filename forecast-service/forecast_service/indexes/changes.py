"""Change points: days on which the level of an index moved, and stayed.

Binary segmentation of the mean (Scott and Knott 1974): where two means describe the days better than one by more than
``_PENALTY`` log(n) variances, the best split is a change, and both sides are searched again. The variance is that of
the noise around the levels, from differences of neighbouring days, times (1 + r) / (1 - r) for its correlation r from
one day to the next: days that hang together are worth fewer. The rhythm of the week is taken out before.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from math import sqrt

import numpy as np
from numpy.typing import NDArray

from forecast_service.indexes.model import IndexDay
from forecast_service.indexes.sampling import band

Vector = NDArray[np.float64]
MINIMUM_DAYS = 28
SHORTEST_DAYS = 7
"""Of a level; what lasts less is an event, not a change."""
_PENALTY = 3.0
_LEAST_NOISE = 0.01
"""In points: below it, differences come from how numbers are rounded."""
_WEEK = 7


@dataclass(frozen=True, slots=True)
class Change:
    """A new level from ``day`` on. Values in points; ``low`` and ``high`` are the 95 % band of ``change``."""

    day: date
    before: float
    after: float
    change: float
    low: float
    high: float


def changes_of(days: Sequence[IndexDay]) -> list[Change]:
    """Return the changes of an index, oldest first; needs ``MINIMUM_DAYS`` days that have one."""
    observed = [day for day in days if day.icce is not None]
    values = np.array([day.icce for day in observed], dtype=np.float64)
    weekday = np.array([day.day.weekday() for day in observed])
    rhythm = np.zeros(_WEEK)
    places = _splits(values)
    # The rhythm is seen around the levels, the levels without the rhythm: a few turns settle both.
    for _ in range(3):
        level = _levels(values - rhythm[weekday], places)
        rhythm = _rhythm(values - level, weekday)
        places = _splits(values - rhythm[weekday])
    calm = values - rhythm[weekday]
    variance = _variance(calm - _levels(calm, places))
    edges = [0, *places, len(values)]
    return [
        _change(observed[at].day, calm[before:at], calm[at:after], variance)
        for before, at, after in zip(edges, edges[1:], edges[2:], strict=False)
    ]


def _levels(values: Vector, places: Sequence[int]) -> Vector:
    return np.concatenate([np.full(len(part), part.mean()) for part in np.split(values, places)])


def _rhythm(around: Vector, weekday: NDArray[np.intp]) -> Vector:
    found = [np.median(around[weekday == day]) if (weekday == day).sum() > 1 else 0.0 for day in range(_WEEK)]
    return np.asarray(found - np.mean(found))


def _splits(values: Vector) -> list[int]:
    """Return the places where a new level begins, in order."""
    # Around a running median the noise is seen whatever the levels are.
    smooth = np.array([np.median(values[max(0, at - 7) : at + 8]) for at in range(len(values))])
    least = _PENALTY * np.log(len(values)) * _variance(values - smooth)
    found: list[int] = []
    open_parts = [(0, len(values))]
    while open_parts:
        begin, end = open_parts.pop()
        place, gain = _best_split(values[begin:end])
        if gain > least:
            found.append(begin + place)
            open_parts += [(begin, begin + place), (begin + place, end)]
    return sorted(found)


def _best_split(values: Vector) -> tuple[int, float]:
    """Return the place that splits the values best, and by how much the sum of squares falls."""
    count = len(values)
    if count < 2 * SHORTEST_DAYS:
        return 0, 0.0
    sizes = np.arange(SHORTEST_DAYS, count - SHORTEST_DAYS + 1)
    left = np.cumsum(values)[sizes - 1]
    difference = left / sizes - (values.sum() - left) / (count - sizes)
    gains = sizes * (count - sizes) / count * difference**2
    best = int(np.argmax(gains))
    return int(sizes[best]), float(gains[best])


def _variance(noise: Vector) -> float:
    """Return the variance that a mean of n days has n times, robust against single days and corrected for memory."""
    steps = np.diff(noise)
    spread = 1.4826 * float(np.median(np.abs(noise - np.median(noise))))
    variance = max(spread, 1.4826 * float(np.median(np.abs(steps))) / sqrt(2), _LEAST_NOISE) ** 2
    memory = float(np.corrcoef(noise[:-1], noise[1:])[0, 1]) if noise[:-1].std() * noise[1:].std() > 0 else 0.0
    memory = min(max(memory, 0.0), 0.8)
    return variance * (1 + memory) / (1 - memory)


def _change(day: date, before: Vector, after: Vector, variance: float) -> Change:
    moved = float(after.mean() - before.mean())
    low, high = band(moved, sqrt(variance * (1 / len(before) + 1 / len(after))), -100, 100)
    return Change(day, float(before.mean()), float(after.mean()), moved, low, high)
