"""Records of the indexes."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime


@dataclass(frozen=True, slots=True)
class DayCount:
    """Tweets of one entity on one day in America/Bogota; ``total_tweets`` counts those of everybody."""

    day: date
    tweets: int
    scored: int
    positive: int
    negative: int
    total_tweets: int


@dataclass(frozen=True, slots=True)
class IndexDay:
    """The index of one day; every value is None in a gap.

    ``icce``, ``smoothed`` and the standard error ``sampling_error`` are in points from 0 to 100, ``momentum`` is a
    change in points, ``isn`` lies in [-1, 1] and ``icr`` in [0, 1].
    """

    day: date
    tweets: int
    icce: float | None = None
    isn: float | None = None
    icr: float | None = None
    smoothed: float | None = None
    momentum: float | None = None
    sampling_error: float | None = None

    @property
    def is_gap(self) -> bool:
        """Whether nothing was observed on this day."""
        return self.icce is None


@dataclass(frozen=True, slots=True)
class EntityIndex:
    """The index of one entity as of a moment: consecutive days, oldest first; ``until`` is the last whole day."""

    entity: str
    as_of: datetime
    until: date
    days: list[IndexDay]

    @property
    def days_observed(self) -> int:
        """Number of days that are not gaps."""
        return sum(not day.is_gap for day in self.days)

    @property
    def days_with_icce(self) -> int:
        """Number of days that have an index."""
        return sum(day.icce is not None for day in self.days)

    @property
    def last_observed(self) -> date | None:
        """The last day that has an index, or None."""
        return next((day.day for day in reversed(self.days) if day.icce is not None), None)

    @property
    def age_days(self) -> int:
        """Days from the last day that has an index to the last whole day; 0 when there is none."""
        return 0 if self.last_observed is None else (self.until - self.last_observed).days
