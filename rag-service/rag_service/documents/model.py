"""Records of documents."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field
from datetime import datetime
from functools import cached_property

from rag_service.text.normal import searchable
from rag_service.text.words import words_in_order

TWEET_PREFIX = "tweet:"
FILE_PREFIX = "file:"
TWEET_SOURCE = "twitter"

ANALYSIS = "analysis"
"""Origin of what services of the system write about what people say."""
Key = tuple[str, datetime]
"""Id and time of publication: the primary key."""
Metadata = dict[str, str | float | bool | None]


@dataclass(frozen=True)
class Draft:
    """A document to be stored."""

    id: str
    text: str
    source: str
    published_at: datetime | None = None
    """None: as stored before, or now."""
    title: str | None = None
    url: str | None = None
    author: str | None = None
    entities: list[str] = field(default_factory=list)
    metadata: Metadata = field(default_factory=dict)
    axes: list[str] = field(default_factory=list)
    places: list[str] = field(default_factory=list)
    datasets: list[str] = field(default_factory=list)
    conversation: str | None = None
    """Of tweets: names the conversation that it is part of."""
    reply_to: str | None = None
    """Of tweets: the id of the document that it answers, and in ``reply_to_author`` who wrote that."""
    reply_to_author: str | None = None
    readers: list[str] = field(default_factory=list)
    """Roles that may read it; empty: the whole organisation. Tweets are for everybody."""

    @cached_property
    def searched(self) -> str:
        """What is indexed and embedded: title and text in the form that queries have too."""
        return searchable(encoder_input(self.title, self.text))

    @property
    def content_hash(self) -> str:
        """Changes exactly when the document needs a new embedding."""
        return hashlib.sha256(self.searched.encode()).hexdigest()

    @property
    def words_hash(self) -> str | None:
        """Equal for texts of the same words: retweets and copies; None for a text without words."""
        words = words_in_order(self.text)
        return hashlib.sha256(" ".join(words).encode()).hexdigest()[:32] if words else None


@dataclass(frozen=True, slots=True)
class Document:
    """A stored document; ``embedding_model`` is None while it waits for an embedding."""

    id: str
    text: str
    source: str
    published_at: datetime
    title: str | None
    url: str | None
    author: str | None
    entities: list[str]
    metadata: Metadata
    stored_at: datetime
    updated_at: datetime
    embedding_model: str | None
    axes: list[str] = field(default_factory=list)
    places: list[str] = field(default_factory=list)
    datasets: list[str] = field(default_factory=list)
    words_hash: str | None = None
    origin: str = "feed"
    """Set by the server: ``feed``, ``upload``, ``file`` or ``analysis``."""
    stored_by: str | None = None
    conversation: str | None = None
    reply_to: str | None = None
    reply_to_author: str | None = None


@dataclass(frozen=True, slots=True)
class DocumentFilter:
    """Which documents of an organisation are wanted: of a source, published in a span."""

    source: str | None = None
    since: datetime | None = None
    until: datetime | None = None


@dataclass(frozen=True, slots=True)
class Access:
    """For whom documents are read and written: an organisation, the roles of its member, and who that is.

    Of no organisation there are the shared documents alone.
    """

    tenant: str = ""
    roles: tuple[str, ...] = ()
    subject: str = "nobody"


NOBODY = Access()
BACKGROUND = Access(tenant="*", subject="background")
"""Of work that every document needs. No organisation can be called so."""


@dataclass(frozen=True, slots=True)
class Erasure:
    """Who erased a document, and when."""

    number: int
    document_id: str
    erased_by: str
    erased_at: datetime


@dataclass(frozen=True, slots=True)
class SavedDocuments:
    """Ids of the documents that a request created, changed, and found as they were."""

    created: list[str]
    updated: list[str]
    unchanged: list[str]


def encoder_input(title: str | None, text: str) -> str:
    """Return the text that is embedded for a document."""
    return f"{title}\n{text}" if title else text


def id_of_content(source: str, title: str | None, text: str) -> str:
    """Return the id of a document that came without one: the same content has the same id."""
    content = "\x00".join((source, title or "", text))
    return f"doc:{hashlib.sha256(content.encode()).hexdigest()[:32]}"
