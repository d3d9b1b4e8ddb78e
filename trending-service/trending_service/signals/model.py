"""Records of what is stored of tweets and counted in windows of time."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from trending_service.text.terms import Kind, Term


@dataclass(frozen=True, slots=True)
class TweetTerms:
    """What is stored of a tweet: its terms and a hash that near-duplicates share, not its text."""

    id: int
    created_at: datetime
    author: str
    label: str | None
    text_hash: int
    terms: Sequence[Term]


@dataclass(frozen=True, slots=True)
class AppliedPage:
    """What a page of changes did; ``tweets`` is the number stored after it."""

    tweets: int
    added: int = 0
    updated: int = 0
    deleted: int = 0
    terms: int = 0


@dataclass(frozen=True, slots=True)
class FeedState:
    """How far the feed is applied."""

    cursor: int
    tweets: int
    caught_up_at: datetime | None


@dataclass(frozen=True, slots=True)
class Baseline:
    """Tweets before the window: all, those in the window's hours of the day, those in its hours of the week."""

    total: int
    same_hours: int
    same_week_hours: int


@dataclass(frozen=True, slots=True)
class Stream:
    """The whole stream: tweets in the window, the effective number of their authors, the baseline."""

    tweets: int
    authors: float
    baseline: Baseline


@dataclass(frozen=True, slots=True)
class Observed:
    """A term or topic: tweets in the window, the effective number of their authors, the baseline."""

    tweets: int
    authors: float
    baseline: Baseline


@dataclass(frozen=True, slots=True)
class Window:
    """The window (since, until] and where its baseline begins."""

    baseline_since: datetime
    since: datetime
    until: datetime

    @property
    def hours(self) -> list[int]:
        """Hours of the day (UTC) that the window touches."""
        return sorted({hour % 24 for hour in self.week_hours})

    @property
    def week_hours(self) -> list[int]:
        """Hours of the week (UTC, Sunday 00:00 = 0) that the window touches."""
        first = self.since.replace(minute=0, second=0, microsecond=0)
        steps = min(168, int((self.until - first) / timedelta(hours=1)) + 1)
        moments = (first + timedelta(hours=step) for step in range(steps))
        return sorted({moment.isoweekday() % 7 * 24 + moment.hour for moment in moments})


@dataclass(frozen=True, slots=True)
class WindowStream:
    """The stream of a window; ``stored`` counts near-duplicates too."""

    stored: int
    stream: Stream


@dataclass(frozen=True, slots=True)
class TermUse:
    """How the tweets of a window use a term."""

    key: str
    kind: Kind
    spelling: str
    tweets: frozenset[int]


@dataclass(frozen=True, slots=True)
class StoredTweet:
    """A tweet of a window."""

    id: int
    created_at: datetime
    author: str
    label: str | None


@dataclass(frozen=True, slots=True)
class BucketCount:
    """Tweets of a topic and of all in one hour or day that begins ``at``."""

    at: datetime
    tweets: int
    authors: int
    total_tweets: int
