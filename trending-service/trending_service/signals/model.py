"""Records of what is stored of tweets and counted in windows of time."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from trending_service.text.terms import Kind, Term


@dataclass(frozen=True, slots=True)
class TweetTerms:
    """What is stored of a tweet: its terms and a hash that near-duplicates share, not its text.

    ``voice`` is the account whose words these are: of a retweet the one that it repeats. ``scopes`` are what it can
    be filtered by, such as ``place:bogota``.
    """

    id: int
    created_at: datetime
    author: str
    voice: str
    label: str | None
    text_hash: int
    scopes: tuple[str, ...]
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
class Window:
    """The window (since, until], where its baseline begins, and the scopes that its tweets must all have."""

    baseline_since: datetime
    since: datetime
    until: datetime
    scopes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class StoredTweet:
    """A tweet of a window."""

    id: int
    created_at: datetime
    author: str
    voice: str
    label: str | None


@dataclass(frozen=True, slots=True)
class WindowTweets:
    """The tweets of a window, oldest first, near-duplicates left out; ``stored`` counts these too."""

    stored: int
    tweets: list[StoredTweet]


@dataclass(frozen=True, slots=True)
class WindowTerms:
    """How many ``distinct`` terms a window has; the ids of the tweets of the frequent ones."""

    distinct: int
    tweets: dict[str, list[int]]


@dataclass(frozen=True, slots=True)
class Spelling:
    """A term as it is most often written."""

    key: str
    kind: Kind
    text: str


@dataclass(frozen=True, slots=True)
class SharedPost:
    """A tweet of an account's own with what it can share with others: text, hashtags, links."""

    id: int
    created_at: datetime
    author: str
    text_hash: int
    terms: list[str]


@dataclass(frozen=True, slots=True)
class Tally:
    """Tweets of a period, those that have a sentiment, and the negative among these."""

    tweets: int
    scored: int
    negative: int


@dataclass(frozen=True, slots=True)
class BucketCount:
    """Tweets of a topic and of all in one hour or day that begins ``at``."""

    at: datetime
    tweets: int
    authors: int
    total_tweets: int
