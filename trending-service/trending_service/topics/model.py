"""Records of topics and timelines; the wire models of the same names say what each field means."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal
from zoneinfo import ZoneInfo

from trending_service.signals.model import Window
from trending_service.text.terms import Kind

Step = Literal["hour", "day"]


@dataclass(frozen=True, slots=True)
class Question:
    """Asks for at most ``limit`` topics of the ``window_hours`` up to ``as_of``, in ``min_tweets`` tweets or more."""

    as_of: datetime
    window_hours: int
    limit: int
    min_tweets: int


@dataclass(frozen=True, slots=True)
class Method:
    """How topics are found: the settings of the same names."""

    baseline_days: int
    false_discovery_rate: float
    max_candidates: int
    zone: ZoneInfo

    def window(self, question: Question) -> Window:
        """Return the window of a question, with its baseline before it."""
        since = question.as_of - timedelta(hours=question.window_hours)
        return Window(since - timedelta(days=self.baseline_days), since, question.as_of)


@dataclass(frozen=True, slots=True)
class SentimentShares:
    """Shares of the scored tweets; they add up to 1."""

    positive: float
    neutral: float
    negative: float


@dataclass(frozen=True, slots=True)
class Topic:
    """Something that is talked about more than it was before."""

    topic: str
    kind: Kind
    terms: list[str]
    tweets: int
    authors: int
    expected: float
    share_change: float
    score: float
    first_seen_at: datetime
    peak_at: datetime
    sentiment: SentimentShares | None
    scored: int
    why: str
    sample_tweet_ids: list[str]


@dataclass(frozen=True, slots=True)
class TopicList:
    """The topics of one window, strongest first, with what was asked and looked at."""

    items: list[Topic]
    as_of: datetime
    window_hours: int
    baseline_days: int
    tweets_in_window: int
    tweets_in_baseline: int
    terms_tested: int
    degraded: list[str] | None


@dataclass(frozen=True, slots=True)
class Bucket:
    """One hour or day that begins ``at``; ``share`` is None when there was no tweet at all."""

    at: datetime
    tweets: int
    authors: int
    total_tweets: int
    share: float | None


@dataclass(frozen=True, slots=True)
class Timeline:
    """How often a topic was used, hour by hour or day by day."""

    topic: str
    terms: list[str]
    as_of: datetime
    step: Step
    timezone: str
    buckets: list[Bucket]
