"""Records of files."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import PurePosixPath

from rag_service.documents.model import FILE_PREFIX, Access

MEDIA_TYPES = ("text/plain", "text/markdown", "text/html", "application/pdf")
UNNAMED = "application/octet-stream"
"""What clients send that do not know the type of a file; the end of its name says it."""
_BY_ENDING = {
    ".txt": "text/plain",
    ".md": "text/markdown",
    ".markdown": "text/markdown",
    ".html": "text/html",
    ".htm": "text/html",
    ".pdf": "application/pdf",
}
MOST_BYTES = 5_000_000


def media_type_of(content_type: str, name: str) -> str | None:
    """Return what a file is, by its Content-Type, or by the end of its name if that is ``UNNAMED``; None: unknown."""
    named = content_type.partition(";")[0].strip().lower()
    if named == UNNAMED:
        return _BY_ENDING.get(PurePosixPath(name.strip()).suffix.lower())
    return named if named in MEDIA_TYPES else None


@dataclass(frozen=True, slots=True)
class Upload:
    """A file as it came, with what its sender says of it."""

    name: str
    media_type: str
    content: bytes
    source: str
    title: str | None = None
    author: str | None = None
    published_at: datetime | None = None
    readers: list[str] = field(default_factory=list)

    @property
    def id(self) -> str:
        """The same content of the same source is the same file."""
        digest = hashlib.sha256(self.source.encode() + b"\x00" + self.content).hexdigest()
        return f"{FILE_PREFIX}{digest[:32]}"

    def differs_from(self, file: File) -> list[str]:
        """Return what its sender says otherwise of it than is stored; a name alone makes no other file."""
        said = ("media_type", "title", "author", "published_at", "readers")
        return [name for name in said if _comparable(getattr(self, name)) != _comparable(getattr(file, name))]


@dataclass(frozen=True, slots=True)
class File:
    """A stored file: ``state`` is ``waiting``, ``reading``, ``done`` or ``failed``; ``stored`` of its ``passages`` are
    documents already, whose ids are its own with a number. ``generation`` differs when it was erased or sent again."""

    tenant: str
    id: str
    name: str
    media_type: str
    source: str
    title: str | None
    author: str | None
    published_at: datetime | None
    readers: list[str]
    state: str
    passages: int
    stored: int
    error: str | None
    stored_by: str
    stored_at: datetime
    updated_at: datetime
    generation: int

    @property
    def access(self) -> Access:
        """As whom its passages are stored."""
        return Access(self.tenant, tuple(self.readers), self.stored_by)


@dataclass(frozen=True, slots=True)
class Section:
    """A part of a file under one heading, or one page of it."""

    heading: str | None
    text: str
    page: int | None = None


def _comparable(said: object) -> object:
    # The order of readers, and how often each is named, say nothing.
    return frozenset(said) if isinstance(said, list) else said
