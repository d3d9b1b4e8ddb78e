"""Records of imports."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Literal

from twitter_service.imports.readers.base import Format
from twitter_service.imports.readers.encoding import Encoding
from twitter_service.imports.readers.table_columns import TableOptions
from twitter_service.imports.readers.tweet_file import Checkpoint
from twitter_service.tweets.model import Rejection
from twitter_service.tweets.upsert_repository import Added

MAX_REJECTIONS = 1_000


@dataclass(frozen=True)
class Origin:
    """The request that brought a file; its ids are continued when the tweets are scored."""

    request_id: str | None
    traceparent: str | None


@dataclass(frozen=True)
class ImportOptions:
    """What the sender says about a file; ``size`` is None where it does not say."""

    format: Format | None
    filename: str | None
    track_authors: bool
    origin: Origin
    resume: bool = True
    size: int | None = None
    table: TableOptions = field(default_factory=TableOptions)
    encoding: Encoding | None = None
    dataset: str | None = None


@dataclass(frozen=True)
class ImportLimits:
    """See the settings of the same names."""

    piece_bytes: int
    max_unpacked_bytes: int
    max_concurrent: int
    max_author_entities: int
    parses_apart: bool = True


@dataclass(frozen=True)
class Chunk:
    """What one piece of a file held, and how far the file was read with it."""

    tweets: int
    rejections: Sequence[Rejection]
    first_at: datetime | None
    last_at: datetime | None
    checkpoint: Checkpoint


@dataclass(frozen=True)
class Tally:
    """What an import has found so far."""

    accepted: int = 0
    duplicates: int = 0
    rejected: int = 0
    refreshed: int = 0
    retweets: int = 0
    rejections: tuple[Rejection, ...] = ()
    first_tweet_at: datetime | None = None
    last_tweet_at: datetime | None = None

    @property
    def rows(self) -> int:
        """Records read; each is exactly one of accepted, duplicate or rejected."""
        return self.accepted + self.duplicates + self.rejected

    def with_chunk(self, chunk: Chunk, added: Added) -> Tally:
        """Return the tally after a chunk was stored."""
        accepted = added.new + added.retweets
        firsts, lasts = (self.first_tweet_at, chunk.first_at), (self.last_tweet_at, chunk.last_at)
        return replace(
            self,
            accepted=self.accepted + accepted,
            duplicates=self.duplicates + chunk.tweets - accepted,
            rejected=self.rejected + len(chunk.rejections),
            refreshed=self.refreshed + added.refreshed,
            retweets=self.retweets + added.retweets,
            rejections=(*self.rejections, *chunk.rejections[: MAX_REJECTIONS - len(self.rejections)]),
            first_tweet_at=min((at for at in firsts if at), default=None),
            last_tweet_at=max((at for at in lasts if at), default=None),
        )


@dataclass(frozen=True)
class Attempt:
    """One of the attempts at an import; ``number`` counts from 0, and the highest one is under way."""

    id: str
    number: int = 0


@dataclass(frozen=True)
class InterruptedImport:
    """An import that broke off, and its progress; ``attempt`` goes on with it."""

    attempt: Attempt
    checkpoint: Checkpoint
    tally: Tally
    accounts: frozenset[str]
    """Tracked accounts that wrote, or are mentioned in, what is stored."""


@dataclass(frozen=True)
class ImportRecord:
    """What became of a file, or how far it is. ``rows`` = ``accepted`` + ``duplicates`` + ``rejected``."""

    id: str
    format: Format
    filename: str | None
    dataset: str | None
    state: Literal["running", "done", "failed"]
    error: str | None
    rows: int
    accepted: int
    duplicates: int
    rejected: int
    refreshed: int
    retweets: int
    bytes_read: int
    bytes_total: int | None
    resumed: int
    rejections: list[Rejection]
    entities_created: list[str]
    authors_left_out: int
    first_tweet_at: datetime | None
    last_tweet_at: datetime | None
    started_at: datetime
    finished_at: datetime | None
    notes: list[str]
