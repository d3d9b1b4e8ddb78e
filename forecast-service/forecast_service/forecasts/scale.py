"""The scale on which methods work: logit for bounded series, so that no value or bound leaves the bounds."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Vector = NDArray[np.float64]
_EDGE = 0.005
"""Distance that a share keeps from 0 and 1, where its logit would be infinite."""


@dataclass(frozen=True, slots=True)
class Scale:
    """Bounds of a series in its own unit; without bounds the series is modelled as it is."""

    bounds: tuple[float, float] | None = (0.0, 100.0)

    def model(self, observed: Sequence[float | None]) -> Vector:
        """Return values on the scale of the methods, NaN where None."""
        values = np.array([np.nan if value is None else value for value in observed], dtype=np.float64)
        if self.bounds is None:
            return values
        lower, upper = self.bounds
        share = np.clip((values - lower) / (upper - lower), _EDGE, 1 - _EDGE)
        return np.asarray(np.log(share / (1 - share)))

    def unit(self, values: Vector) -> Vector:
        """Return values of the methods' scale in the unit of the series."""
        if self.bounds is None:
            return values
        lower, upper = self.bounds
        return np.asarray(lower + (upper - lower) / (1 + np.exp(-values)))

    def clip(self, values: Vector) -> Vector:
        """Return values in the unit of the series, moved to the nearest bound where they pass it."""
        return values if self.bounds is None else np.clip(values, *self.bounds)
