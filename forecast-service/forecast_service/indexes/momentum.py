"""Momentum: whether the smoothed index of an entity rises or falls, and how sure that is."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

from forecast_service.errors import TooFewDays
from forecast_service.indexes.icce import Trend, direction
from forecast_service.indexes.model import EntityIndex

MINIMUM_DAYS = 8


@dataclass(frozen=True, slots=True)
class Momentum:
    """S_t - S_(t-1) of the last day that has an index; values and the standard error are in points."""

    day: date
    smoothed: float
    momentum: float
    error: float

    @property
    def trend(self) -> Trend:
        """Up or down by more than one point, else stable."""
        return direction(self.momentum)

    @property
    def is_certain(self) -> bool:
        """Whether the change is larger than sampling explains, at 95 %."""
        return abs(self.momentum) > 1.96 * self.error


def momentum_now(index: EntityIndex) -> Momentum:
    """Return the momentum of the last day that has an index.

    Raises ``TooFewDays`` below ``MINIMUM_DAYS`` days: the average still stands near its first value.
    """
    if index.days_observed < MINIMUM_DAYS:
        raise TooFewDays(entity=index.entity, observed=index.days_observed, needed=MINIMUM_DAYS)
    last = next(day for day in reversed(index.days) if day.momentum is not None)
    assert last.smoothed is not None and last.momentum is not None and last.momentum_error is not None  # noqa: PT018
    return Momentum(last.day, last.smoothed, last.momentum, last.momentum_error)
