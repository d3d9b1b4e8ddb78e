"""Records of polls. Shares are in percent, effects of pollsters in percentage points."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Literal

Note = Literal["few_polls", "stale", "polls_share_errors", "conversation_is_not_votes"]


@dataclass(frozen=True, slots=True)
class Poll:
    """What a pollster found among ``sample_size`` people from ``since`` to ``until``; ``shares`` by candidate."""

    pollster: str
    since: date
    until: date
    sample_size: int
    shares: tuple[tuple[str, float], ...]

    @property
    def middle(self) -> date:
        """The day in the middle of the field work."""
        return self.since + timedelta(days=(self.until - self.since).days // 2)


@dataclass(frozen=True, slots=True)
class PollSet:
    """Polls that an organisation keeps under a name; the id is a hash of both."""

    id: str
    name: str
    polls: tuple[Poll, ...]
    created_at: datetime

    @property
    def summary(self) -> PollSetSummary:
        """What is listed of the set."""
        first, last = min(one.since for one in self.polls), max(one.until for one in self.polls)
        return PollSetSummary(self.id, self.name, len(self.polls), first, last, self.created_at)


@dataclass(frozen=True, slots=True)
class PollSetSummary:
    """How many polls a set holds, and the first and last day of their field work."""

    id: str
    name: str
    polls: int
    first_poll: date
    last_poll: date
    created_at: datetime


@dataclass(frozen=True, slots=True)
class AverageDay:
    """The average of one day, in percent, with its band."""

    date: date
    share: float
    low: float
    high: float


@dataclass(frozen=True, slots=True)
class HouseEffect:
    """How far a pollster lies from the average of all, in points, with its band; from ``polls`` polls."""

    pollster: str
    polls: int
    points: float
    low: float
    high: float


@dataclass(frozen=True, slots=True)
class CandidateAverage:
    """The average of one candidate by day, oldest first, and the effect of each pollster.

    ``drift``, ``excess`` and ``house`` are the estimated standard deviations of the model (``average.py``), on the
    logit scale. ``judged`` polls were compared with what the polls before them said; ``within`` lay in that band.
    """

    candidate: str
    polls: int
    days: tuple[AverageDay, ...]
    houses: tuple[HouseEffect, ...]
    drift: float
    excess: float
    house: float
    judged: int
    within: int


@dataclass(frozen=True, slots=True)
class PollAverage:
    """Averages of all candidates as of a moment, the largest first, and the polls that they rest on."""

    as_of: datetime
    level: float
    polls: list[Poll]
    later_polls: int
    last_poll: date
    data_age_days: int
    candidates: list[CandidateAverage]
    too_few: list[str]
    notes: list[Note]

    @property
    def coverage(self) -> float | None:
        """Share of polls within the band that the polls before them gave; None when none could be judged."""
        judged = sum(one.judged for one in self.candidates)
        return sum(one.within for one in self.candidates) / judged if judged else None
