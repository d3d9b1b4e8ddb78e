"""Records of topics and timelines; the wire models of the same names say what each field means."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal
from zoneinfo import ZoneInfo

from trending_service.signals.model import Window
from trending_service.text.terms import Kind, WordKind

Step = Literal["hour", "day"]
Past = Literal["novel", "recurring", "evergreen"]


@dataclass(frozen=True, slots=True)
class Question:
    """Asks for at most ``limit`` topics of the ``window_hours`` up to ``as_of``, in ``min_tweets`` tweets or more.

    ``scopes`` are what all tweets must have, such as ``place:bogota``; sorted.
    """

    as_of: datetime
    window_hours: int
    limit: int
    min_tweets: int
    scopes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Method:
    """How topics are found: the settings of the same names."""

    baseline_days: int
    false_discovery_rate: float
    max_candidates: int
    max_window_tweets: int
    zone: ZoneInfo

    def window(self, question: Question) -> Window:
        """Return the window of a question, with its baseline before it."""
        since = question.as_of - timedelta(hours=question.window_hours)
        return Window(since - timedelta(days=self.baseline_days), since, question.as_of, question.scopes)


@dataclass(frozen=True, slots=True)
class SentimentShares:
    """Shares of the scored tweets; they add up to 1."""

    positive: float
    neutral: float
    negative: float


@dataclass(frozen=True, slots=True)
class Together:
    """All terms of a topic together."""

    terms: list[str]
    tweets: int
    authors: int


@dataclass(frozen=True, slots=True)
class Pushed:
    """What accounts suspected of coordination have to do with a topic, and what it would be without them."""

    accounts: int
    tweets: int
    share: float
    tweets_without: int
    authors_without: int
    score_without: float


@dataclass(frozen=True, slots=True)
class Sample:
    """A tweet of a topic."""

    id: str
    username: str
    created_at: datetime


@dataclass(frozen=True, slots=True)
class Topic:
    """Something that is talked about more than it was before."""

    id: str
    topic: str
    kind: WordKind
    signal: Kind
    terms: list[str]
    keys: list[str]
    tweets: int
    authors: int
    expected: float
    share_change: float
    score: float
    tweets_per_hour: float
    rising_minutes: int
    started_at: datetime
    first_seen_at: datetime
    peak_at: datetime
    of_peak: float
    past: Past
    sentiment: SentimentShares | None
    scored: int
    why: str
    sample_tweet_ids: list[str]
    samples: list[Sample]
    cluster: Together
    coordination: Pushed


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
    needed_score: float
    needed_tweets: int | None
    quiet: str | None
    looked_since: datetime
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
