"""The scale on which methods work.

Logit for bounded series, so that no value or bound leaves the bounds; a logarithm for others that never were below
zero, since counts and amounts vary by shares of themselves; the rest as they are. Bounds that are so wide that the
values cannot be told apart between them, or from one of them, are only kept.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Vector = NDArray[np.float64]
_ROUNDING = 1e-9
_EDGE, _LEAST_EDGE = 0.005, 1e-6
"""Distance that a share keeps from 0 and 1, where its logit would be infinite."""


@dataclass(frozen=True, slots=True)
class Scale:
    """Bounds of a series in its own unit; ``edge`` is None where no logit is taken, and ``offset``, which is added
    before a logarithm is, where none is.
    """

    bounds: tuple[float, float] | None = (0.0, 100.0)
    edge: float | None = _EDGE
    offset: float | None = None

    @classmethod
    def of(cls, bounds: tuple[float, float] | None, observed: Sequence[float | None]) -> Scale:
        """Return the scale for a series; one that lives near a bound is told apart from it more finely."""
        known = np.array([value for value in observed if value is not None])
        edge = None if bounds is None else _edge(known, *bounds)
        may_fall_below_zero = bounds is not None and bounds[0] < 0
        return cls(bounds, edge, None if edge is not None or may_fall_below_zero else _offset(known))

    def model(self, observed: Sequence[float | None]) -> Vector:
        """Return values on the scale of the methods, NaN where None."""
        values = np.array([np.nan if value is None else value for value in observed], dtype=np.float64)
        if self.bounds is None or self.edge is None:
            return values if self.offset is None else np.asarray(np.log(values + self.offset))
        lower, upper = self.bounds
        share = np.clip((values - lower) / (upper - lower), self.edge, 1 - self.edge)
        return np.asarray(np.log(share / (1 - share)))

    def unit(self, values: Vector) -> Vector:
        """Return values of the methods' scale in the unit of the series."""
        if self.bounds is None or self.edge is None:
            return values if self.offset is None else _above_zero(np.exp(values) - self.offset, self.offset)
        lower, upper = self.bounds
        return np.asarray(lower + (upper - lower) / (1 + np.exp(-values)))

    def within(self, values: Vector) -> Vector:
        """Return values of the methods' scale, none below what stands for zero: an interval begins there."""
        return values if self.offset is None else np.maximum(values, np.log(self.offset))

    def open(self, low: Vector, high: Vector) -> tuple[Vector, Vector]:
        """Return an interval in the unit of the series, opened to a bound where its end cannot be told from it."""
        if self.bounds is None or self.edge is None:
            return low, high
        lower, upper = self.bounds
        near = 1.01 * self.edge * (upper - lower)
        return np.where(low <= lower + near, lower, low), np.where(high >= upper - near, upper, high)

    def clip(self, values: Vector) -> Vector:
        """Return values in the unit of the series, moved to the nearest bound where they pass it."""
        if self.bounds is None:
            return values if self.offset is None else np.maximum(values, 0)
        return np.clip(values, *self.bounds)


def _above_zero(values: Vector, offset: float) -> Vector:
    """Return values that are not below zero; what only rounding tells from zero is zero."""
    return np.where(values > _ROUNDING * offset, values, 0)


def _edge(known: Vector, lower: float, upper: float) -> float | None:
    """Return how near to a bound values are told apart from it; None where they are not told apart at all."""
    distances = np.minimum(known - lower, upper - known) / (upper - lower)
    within, range_of_all = distances[distances > 0], float(np.ptp(known)) / (upper - lower)
    if 0 < range_of_all < _LEAST_EDGE or (len(within) and np.median(within) / 4 < _LEAST_EDGE):
        return None
    return min(_EDGE, max(_LEAST_EDGE, float(np.median(distances)) / 4))


def _offset(observed: Vector) -> float | None:
    """Return the mean of values that never are below zero: far below it they are modelled as they are, far above it by
    their logarithms, so that neither a zero nor a peak dominates.
    """
    return float(np.mean(observed)) or None if len(observed) and min(observed) >= 0 else None
