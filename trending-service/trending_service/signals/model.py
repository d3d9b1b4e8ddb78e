"""Records of what is stored of tweets and counted in windows of time."""

from __future__ import annotations

from collections import Counter
from collections.abc import Container, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import chain

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


def frequent_terms(
    found: Iterable[tuple[int, Sequence[str]]], originals: Container[int], *, min_tweets: int, limit: int
) -> WindowTerms:
    """Return the ``limit`` most frequent terms in ``min_tweets`` of ``originals`` or more.

    ``found`` are the terms of each tweet; those of tweets that are no originals do not count.
    """
    kept = [(tweet, terms) for tweet, terms in found if tweet in originals]
    counts = Counter(chain.from_iterable(terms for _, terms in kept))
    frequent = sorted((-count, term) for term, count in counts.items() if count >= min_tweets)[:limit]
    tweets: dict[str, list[int]] = {term: [] for _, term in frequent}
    for tweet, terms in kept:
        for term in terms:
            if term in tweets:
                tweets[term].append(tweet)
    return WindowTerms(len(counts), tweets)


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
