"""Records of the indexes."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from math import hypot


@dataclass(frozen=True, slots=True)
class DayCount:
    """Tweets of one entity on one day, or from one day on, in America/Bogota; ``total_tweets``: of everybody.

    ``targeted`` of ``scored`` were judged by what they say about the entity, the others by their text as a whole.
    """

    day: date
    tweets: int
    scored: int
    positive: int
    negative: int
    total_tweets: int
    targeted: int = 0


@dataclass(frozen=True, slots=True)
class IndexDay:
    """The index of one day. A gap has no value at all; a silent day has tweets of others only, and no index.

    ``icce``, ``smoothed`` and the standard errors are in points from 0 to 100, ``momentum`` is a change in points,
    ``isn`` lies in [-1, 1] and ``icr`` in [0, 1].
    """

    day: date
    tweets: int
    icce: float | None = None
    isn: float | None = None
    icr: float | None = None
    smoothed: float | None = None
    momentum: float | None = None
    sampling_error: float | None = None
    smoothed_error: float | None = None
    momentum_error: float | None = None
    judged_towards: int = 0
    """Tweets that were judged by what they say about the entity."""
    judged_by_text: int = 0
    """Tweets whose text as a whole was judged."""

    @property
    def is_silent(self) -> bool:
        """Whether others were spoken of on this day, and the entity was not."""
        return self.icce is None and self.icr is not None

    @property
    def is_gap(self) -> bool:
        """Whether nothing was observed on this day."""
        return self.icr is None


@dataclass(frozen=True, slots=True)
class EntityIndex:
    """The index of one entity as of a moment: consecutive days, oldest first; ``until`` is the last whole day."""

    entity: str
    as_of: datetime
    until: date
    days: list[IndexDay]
    dataset: str | None = None
    span: IndexDay | None = None
    """The index of all days together."""

    @property
    def days_observed(self) -> int:
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


@dataclass(frozen=True, slots=True)
class Voice:
    """The share of an entity in the tweets of all tracked entities, in [0, 1], and its standard error."""

    entity: str
    tweets: int
    share: float
    error: float


@dataclass(frozen=True, slots=True)
class ShareOfVoice:
    """The shares of all tracked entities over a span of days; a tweet that counts for two is counted for each."""

    since: date
    until: date
    days_missing: int
    tweets: int
    voices: list[Voice]


@dataclass(frozen=True, slots=True)
class Focus:
    """An entity's tweets on one axis, their share of those on all axes, in [0, 1], and its standard error."""

    axis: str
    tweets: int
    share: float
    error: float


@dataclass(frozen=True, slots=True)
class TopicFocus:
    """What an entity's tweets of a span of days are about; ``with_axis`` of its ``tweets`` name an axis."""

    entity: str
    as_of: datetime
    since: date
    until: date
    days_missing: int
    tweets: int
    with_axis: int
    topics: list[Focus]


@dataclass(frozen=True, slots=True)
class Week:
    """An entity in seven days. ``icce``, its interval of 95 % and ``isn`` are None without a scored tweet.

    ``icce`` is in points from 0 to 100, ``isn`` in [-1, 1], ``share`` (of the tweets of all tracked entities) in [0, 1]
    and None where nobody spoke of any of them.
    """

    tweets: int
    scored: int
    positive: int
    negative: int
    share: float | None
    share_error: float
    isn: float | None
    icce: float | None
    error: float
    judged_towards: int
    judged_by_text: int


@dataclass(frozen=True, slots=True)
class WeekChange:
    """An entity this week and the week before; ``change`` of its ICCE in points, with its standard error."""

    entity: str
    now: Week
    before: Week

    @property
    def change(self) -> float | None:
        """Points that the ICCE has moved; None where one of the weeks has none."""
        return None if self.now.icce is None or self.before.icce is None else self.now.icce - self.before.icce

    @property
    def change_error(self) -> float:
        """Standard error of ``change``, in points."""
        return hypot(self.now.error, self.before.error)


@dataclass(frozen=True, slots=True)
class Weeks:
    """All tracked entities in the seven whole days up to ``until``, and in the seven before."""

    as_of: datetime
    until: date
    total_tweets: int
    total_tweets_before: int
    entities: list[WeekChange]
