"""Documents: what is stored, and what may be asked of the store."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

TWEET_PREFIX = "tweet:"
TWEET_SOURCE = "twitter"
ENCODED_CHARACTERS = 8_000
"""Of a longer text only the beginning is embedded; encoders cut there or earlier. Words are indexed whole."""

Key = tuple[str, datetime]
"""Id and time of publication: the primary key."""


@dataclass(frozen=True, slots=True)
class Draft:
    """A document on its way in."""

    id: str
    text: str
    source: str
    published_at: datetime | None = None
    """None: as stored before, or now."""
    title: str | None = None
    url: str | None = None
    author: str | None = None
    entities: list[str] = field(default_factory=list)
    metadata: dict[str, Any] = field(default_factory=dict)

    @property
    def content_hash(self) -> str:
        """Changes exactly when the document needs a new embedding."""
        return hashlib.sha256(encoder_input(self.title, self.text).encode()).hexdigest()


@dataclass(frozen=True, slots=True)
class Document:
    """A stored document."""

    id: str
    text: str
    source: str
    published_at: datetime
    title: str | None
    url: str | None
    author: str | None
    entities: list[str]
    metadata: dict[str, Any]
    stored_at: datetime
    updated_at: datetime
    embedding_model: str | None


@dataclass(frozen=True, slots=True)
class Pending:
    """A document that waits for an embedding."""

    key: Key
    content_hash: str
    text: str


@dataclass(frozen=True, slots=True)
class Saved:
    """What became of the drafts of one request, by id."""

    created: list[str]
    updated: list[str]
    unchanged: list[str]


@dataclass(frozen=True, slots=True)
class Filters:
    """What a document must be; ``as_of`` hides all that was published after it."""

    as_of: datetime
    source: str | None = None
    author: str | None = None
    entity: str | None = None
    since: datetime | None = None
    until: datetime | None = None
    """Exclusive."""


@dataclass(frozen=True, slots=True)
class IndexCounts:
    """Where the index stands. ``documents`` = ``embedded`` + ``pending`` + ``refused``."""

    documents: int
    embedded: int
    pending: int
    refused: int
    cursor: str
    model: str | None


def encoder_input(title: str | None, text: str) -> str:
    """Return what the encoder sees of a document."""
    return f"{title}\n{text}" if title else text


def id_of_content(source: str, title: str | None, text: str) -> str:
    """Return the id of a document that came without one: the same content has the same id for ever."""
    content = "\x00".join((source, title or "", text))
    return f"doc:{hashlib.sha256(content.encode()).hexdigest()[:32]}"
