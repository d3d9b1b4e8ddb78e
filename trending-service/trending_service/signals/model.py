"""Records of what is stored of tweets and counted in windows of time."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Container, Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from itertools import chain

from trending_service.text.terms import Kind, kind_of


@dataclass(frozen=True, slots=True)
class TweetTerms:
    """What is stored of a tweet: its terms and a hash that near-duplicates share, not its text.

    ``voice`` is the account whose words these are: of a retweet the one that it repeats. ``scopes`` are what it can
    be filtered by, such as ``place:bogota``. ``terms`` are spellings by their keys, as ``terms_of`` returns them.
    """

    id: int
    created_at: datetime
    author: str
    voice: str
    label: str | None
    text_hash: int
    scopes: tuple[str, ...]
    terms: Mapping[str, str]


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
    """The tweets of a window, oldest first, near-duplicates left out; ``stored`` counts these too.

    ``terms`` holds for each tweet the keys of its terms, one a line.
    """

    stored: int
    tweets: list[StoredTweet]
    terms: list[str]

    def term_keys(self) -> Iterator[tuple[int, list[str]]]:
        """Yield the place in ``tweets`` and the terms of each tweet that has any."""
        for row, lines in enumerate(self.terms):
            if lines:
                yield row, lines.split("\n")


@dataclass(frozen=True, slots=True)
class WindowTerms:
    """How many ``distinct`` terms a window has; the places in ``tweets`` of the window of the frequent ones."""

    distinct: int
    rows: dict[str, list[int]]


def frequent_terms(window: WindowTweets, *, min_tweets: int, limit: int) -> WindowTerms:
    """Return the ``limit`` most frequent terms in ``min_tweets`` tweets of a window or more. CPU-bound."""
    counts = Counter(chain.from_iterable(keys for _, keys in window.term_keys()))
    frequent = sorted((-count, term) for term, count in counts.items() if count >= min_tweets)[:limit]
    rows: dict[str, list[int]] = {term: [] for _, term in frequent}
    for row, keys in window.term_keys():
        for term in keys:
            if term in rows:
                rows[term].append(row)
    return WindowTerms(len(counts), rows)


@dataclass(frozen=True, slots=True)
class Spelling:
    """A term as it is most often written."""

    key: str
    kind: Kind
    text: str


def usual_spellings(tweets: Iterable[tuple[str, str]], wanted: Container[str]) -> dict[str, Spelling]:
    """Return how each of the ``wanted`` terms is most often written.

    ``tweets`` hold keys and their spellings line by line; an empty line is the key itself.
    """
    counts: dict[str, Counter[str]] = defaultdict(Counter)
    for keys, spellings in tweets:
        for key, spelling in zip(keys.split("\n"), spellings.split("\n"), strict=True):
            if key in wanted:
                counts[key][spelling or key] += 1
    best = {key: min(found, key=lambda text: (-found[text], text)) for key, found in counts.items()}
    return {key: Spelling(key, kind_of(key), text) for key, text in best.items()}


@dataclass(frozen=True, slots=True)
class SharedPost:
    """A tweet of an account's own with what it can share with others: text, hashtags, links."""

    id: int
    created_at: datetime
    author: str
    text_hash: int
    shared: list[str]


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
