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

    ``icce`` and ``smoothed`` are in points from 0 to 100, ``momentum`` is a change in points, ``isn`` lies in
    [-1, 1] and ``icr`` in [0, 1].
    """

    day: date
    tweets: int
    icce: float | None = None
    isn: float | None = None
    icr: float | None = None
    smoothed: float | None = None
    momentum: float | None = None

    @property
    def is_gap(self) -> bool:
        """Whether nothing was observed on this day."""
        return self.icce is None


@dataclass(frozen=True, slots=True)
class EntityIndex:
    """The index of one entity as of a moment: consecutive days, oldest first."""

    entity: str
    as_of: datetime
    days: list[IndexDay]

    @property
    def days_observed(self) -> int:
        """Number of days that are not gaps."""
        return sum(not day.is_gap for day in self.days)
