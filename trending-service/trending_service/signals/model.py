"""Records of what is stored of tweets and counted in windows of time."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Container, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from trending_service.signals.counts import Ints
from trending_service.text.terms import Kind, kind_of

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class TweetTerms:
    """What is stored of a tweet: its terms and a hash that near-duplicates share, not its text.

    ``voice`` is the account whose words these are: of a retweet the one that it repeats, as its text says, which
    anybody can write; ``is_retweet`` tells whether X says so too, None where it is not known. ``scopes`` are what it
    can be filtered by, such as ``place:bogota``. ``terms`` are spellings by their keys, as ``terms_of`` returns them.
    """

    id: int
    created_at: datetime
    author: str
    voice: str
    label: str | None
    text_hash: int
    scopes: tuple[str, ...]
    terms: Mapping[str, str]
    is_retweet: bool | None = None


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
    """A tweet of a window; ``voice`` as in ``TweetTerms``. Where X did not say ``is_retweet``, its text says it."""

    id: int
    created_at: datetime
    author: str
    voice: str
    label: str | None
    is_retweet: bool

    @property
    def hand(self) -> str:
        """Return the account that surely stands behind it: what only its text says to be a retweet is its author's."""
        return self.voice if self.is_retweet else self.author


def moment_of(microseconds: int) -> datetime:
    """Return the moment that lies so many microseconds after the beginning of 1970."""
    return _EPOCH + timedelta(microseconds=microseconds)


@dataclass(frozen=True, slots=True)
class TweetColumns:
    """Tweets column by column: tens of thousands are read and counted without a record of each.

    ``moments`` are microseconds since 1970; the other columns are the fields of ``StoredTweet``.
    """

    ids: Ints
    moments: Ints
    authors: Sequence[str]
    voices: Sequence[str]
    labels: Sequence[str | None]
    retweets: Sequence[bool]

    def __len__(self) -> int:
        """Return the number of tweets."""
        return len(self.ids)

    def __iter__(self) -> Iterator[StoredTweet]:
        """Yield a record of each tweet."""
        return map(self.__getitem__, range(len(self)))

    def __getitem__(self, row: int) -> StoredTweet:
        """Return the tweet in a row."""
        return StoredTweet(
            int(self.ids[row]), moment_of(int(self.moments[row])), self.authors[row], self.voices[row],
            self.labels[row], self.retweets[row],
        )  # fmt: skip

    def hands(self) -> list[str]:
        """Return the ``hand`` of each tweet."""
        return [
            voice if is_retweet else author
            for author, voice, is_retweet in zip(self.authors, self.voices, self.retweets, strict=True)
        ]


@dataclass(frozen=True, slots=True)
class WindowTweets:
    """The tweets of a window, oldest first, near-duplicates left out; ``stored`` counts these too.

    ``terms`` holds for each tweet the keys of its terms, one a line. ``looked_since`` is where the window begins, or
    the oldest tweet that was read where it holds more than were asked for.
    """

    stored: int
    tweets: TweetColumns
    terms: list[str]
    looked_since: datetime


@dataclass(frozen=True, slots=True)
class WindowTerms:
    """How many ``distinct`` terms a window has; the places in ``tweets`` of the window of the frequent ones."""

    distinct: int
    rows: dict[str, Ints]


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
class SharedPosts:
    """Tweets that are no retweets, column by column, with what each can share with others: text, hashtags, links.

    ``moments`` are microseconds since 1970; ``shared`` holds hashtags and links, one a line.
    """

    ids: Ints
    moments: Ints
    text_hashes: Ints
    authors: Sequence[str]
    voices: Sequence[str]
    shared: Sequence[str]

    def __len__(self) -> int:
        """Return the number of tweets."""
        return len(self.ids)

    def named(self) -> dict[int, tuple[str, int]]:
        """Return the account that a tweet names as its origin, and the hash of the text, by the row of the tweet."""
        pairs = enumerate(zip(self.authors, self.voices, strict=True))
        rows = [row for row, (author, voice) in pairs if author != voice]
        return {row: (self.voices[row], int(self.text_hashes[row])) for row in rows}


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
