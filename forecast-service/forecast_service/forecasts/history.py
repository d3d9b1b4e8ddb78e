"""An observed daily series with its gaps, and what was known of it on each earlier day.

Gaps of up to ``MAXIMUM_BRIDGED_DAYS`` are bridged by a straight line, and only between values that were known at the
time: a back-test never sees a day that came after its origin. A longer gap ends a stretch; no method is trained
across it, because the days before it say little about the rhythm and the level after it.
"""

from __future__ import annotations

import statistics
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from forecast_service.forecasts.scale import Vector

MAXIMUM_BRIDGED_DAYS = 7
MAXIMUM_TRAINING_DAYS = 400
RECENT_DAYS = 28
"""Days whose sampling errors say how far apart two counts of the same conversation lie."""
_START_MOVES_BY_DAYS = 84


@dataclass(frozen=True, slots=True)
class History:
    """Values by day, NaN in gaps; the first and the last are observed. ``starts``: where each day's stretch begins."""

    values: Vector
    starts: list[int]

    def start(self, origin: int) -> int:
        """Return the first day of the training for ``origin``: that of its stretch, or of the last year or so of it.

        Older days add seconds and hardly anything else. The day moves by whole seasons, so that parameters that were
        estimated from one origin fit the training of the next.
        """
        offset = len(self.values) % _START_MOVES_BY_DAYS
        moves = (origin - MAXIMUM_TRAINING_DAYS - offset) // _START_MOVES_BY_DAYS
        latest = moves * _START_MOVES_BY_DAYS + offset
        return max(self.starts[origin - 1], latest)

    def training(self, origin: int) -> Vector:
        """Return the bridged days from ``start`` to the one before ``origin``, which must be observed."""
        return self.bridged(self.start(origin), origin)

    def bridged(self, begin: int, end: int) -> Vector:
        """Return the days from ``begin`` to the one before ``end``, gaps bridged; the last must be observed."""
        stretch = self.values[begin:end]
        known = np.flatnonzero(~np.isnan(stretch))
        # It may begin in a gap that was cut: np.interp repeats the first known value.
        return np.interp(np.arange(len(stretch)), known, stretch[known])

    def before_last_stretch(self) -> History | None:
        """Return the history up to the last long gap, or None where there was none."""
        start = self.starts[-1]
        return history_of(self.values[:start]) if start else None

    def origins(self, minimum_days: int) -> list[int]:
        """Return the days with an observed day before them and at least ``minimum_days`` days of training."""
        known = ~np.isnan(self.values)
        places = range(1, len(self.values) + 1)
        return [place for place in places if known[place - 1] and place - self.starts[place - 1] >= minimum_days]


def least_half_width(values: Sequence[float | None], half_widths: Sequence[float | None]) -> float:
    """Return how far to each side an interval after these days reaches at least, in their unit.

    The median of the last ``RECENT_DAYS`` ``half_widths``: a series that never moved was still counted from few tweets.
    Without any, half the smallest difference between two values: no interval is finer than the series itself.
    """
    known = [width for width in half_widths if width is not None]
    if known:
        return statistics.median(known[-RECENT_DAYS:])
    ordered = sorted({value for value in values if value is not None})
    return min((later - earlier for earlier, later in pairwise(ordered)), default=0.0) / 2


def history_of(values: Vector) -> History:
    """Return the history of values by day (NaN in gaps), without the gaps at both ends."""
    known = np.flatnonzero(~np.isnan(values))
    trimmed = values[known[0] : known[-1] + 1]
    return History(trimmed, _stretch_starts(known - known[0]))


def _stretch_starts(known: NDArray[np.intp]) -> list[int]:
    starts = [0]
    for before, place in pairwise(known.tolist()):
        begins = place if place - before - 1 > MAXIMUM_BRIDGED_DAYS else starts[-1]
        starts += [starts[-1]] * (place - before - 1) + [begins]
    return starts
