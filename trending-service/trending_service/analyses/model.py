"""Records of analyses."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from trending_service.tracking.model import Trend


@dataclass(frozen=True, slots=True)
class DueTrend:
    """A trend whose analysis is to be stored; ``due_at`` changes when the trend does.

    Nobody else takes it before ``claimed_until``, which is another one each time.
    """

    trend: Trend
    due_at: datetime
    claimed_until: datetime


@dataclass(frozen=True, slots=True)
class Figures:
    """The stored tweets that hold a term, from one moment to another, and how many of them have each label.

    ``busiest_at`` is when the hour with most of them began, None without any.
    """

    tweets: int
    accounts: int
    positive: int
    neutral: int
    negative: int
    busiest_at: datetime | None
    busiest_tweets: int

    @property
    def scored(self) -> int:
        """How many have a label."""
        return self.positive + self.neutral + self.negative


@dataclass(frozen=True, slots=True)
class Analysis:
    """A document for rag-service; ``metadata`` holds the figures of the text as numbers."""

    id: str
    title: str
    text: str
    url: str | None
    published_at: datetime
    metadata: dict[str, str | float | bool]
