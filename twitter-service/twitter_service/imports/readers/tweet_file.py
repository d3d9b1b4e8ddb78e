"""One CSV or JSON Lines file that arrives in pieces, read in constant memory.

``TweetFile`` takes bytes and returns tweets and rejections with their physical line. ``checkpoint`` says how far
it is, so that another ``TweetFile`` can go on from there when the file comes again.

A new format needs a ``Reader``, a line in ``READERS`` and, unless its name is always given, a rule in ``recognised``.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any

from twitter_service.errors import DatabaseFile
from twitter_service.imports.json_salvage import value_at
from twitter_service.imports.readers.base import BOM, Format, Frame, Reader
from twitter_service.imports.readers.csv_reader import CsvReader
from twitter_service.imports.readers.json_document_reader import JsonDocumentReader, is_document
from twitter_service.imports.readers.jsonl_reader import JsonLinesReader
from twitter_service.imports.readers.table_columns import TableOptions

READERS: Mapping[Format, Callable[[bytes, TableOptions], Reader]] = MappingProxyType(
    {"csv": lambda _start, options: CsvReader(options), "jsonl": lambda start, _options: json_reader(start)}
)
"""By format, what makes the reader of a file from its first bytes and what the sender says about a table."""
_SQLITE = b"SQLite format 3\x00"
HEAD_BYTES = 65_536
"""Bytes that are waited for before the format is recognised."""
MAX_BLANK = 16_000_000
"""Bytes without a line end after which the format is recognised all the same."""


_HEADER = re.compile(rb"[\w .\"'@/-]+(?:[,;\t|][\w .\"'@/-]*)+\r?(?:\n|\Z)")
"""A first line of plain words between separators is the header of a table."""
HEAD_LINES = 5
"""Lines of a file among which one of JSON tells its format, where the first is none of it."""


def recognised(start: bytes) -> Format:
    """Return the format of a file by its first bytes, without byte-order mark and white space."""
    if start[:1] in (b"{", b"["):
        return "jsonl"
    if _HEADER.match(start):
        return "csv"
    lines = start[: 1 << 20].splitlines()[1:HEAD_LINES]
    return "jsonl" if any(line[:2] == b'{"' and value_at(line.decode(errors="replace"), 0) for line in lines) else "csv"


def json_reader(start: bytes) -> Reader:
    """Return the reader of a file of JSON by its first bytes."""
    return JsonDocumentReader() if is_document(start) else JsonLinesReader()


def reader_of_state(file_format: Format, state: dict[str, Any]) -> Reader:
    """Return a reader that resumes where another was."""
    if file_format == "csv":
        return CsvReader.of_state(state)
    return JsonDocumentReader.of_state(state) if state.get("document") else JsonLinesReader.of_state(state)


@dataclass(frozen=True)
class Checkpoint:
    """How far a file was read: bytes, their BLAKE2 digest, and the state of its reader."""

    offset: int = 0
    digest: str = ""
    format: Format = "csv"
    state: dict[str, Any] = field(default_factory=dict)


class TweetFile:
    """One file; not for use from several threads at once. The format is recognised where none is given."""

    def __init__(self, file_format: Format | None = None, table: TableOptions | None = None) -> None:
        self.format = file_format
        self._table = table or TableOptions()
        self._reader: Reader | None = None
        self._start = b""
        self._offset = 0
        self._digest = hashlib.blake2b(digest_size=32)

    def read(self, data: bytes) -> list[Frame]:
        """Return what ``data`` completes, JSON not parsed yet; raises ``NotUtf8`` or ``MissingColumns``."""
        return self._read(data, final=False)

    def read_last(self, data: bytes) -> list[Frame]:
        """Return what ``data`` and the end of the file complete; raises as ``read``."""
        return self.read(data) + self._read(b"", final=True)

    def notes(self) -> list[str]:
        """Return what was recognised of the file so far."""
        return self._reader.notes() if self._reader else []

    def checkpoint(self) -> Checkpoint:
        """Return how far the file was read; everything before was returned."""
        state = self._reader.state() if self._reader else {}
        return Checkpoint(self._offset, self._digest.hexdigest(), self.format or "csv", state)

    def skip(self, data: bytes) -> None:
        """Count bytes that were read in an earlier attempt."""
        self._offset += len(data)
        self._digest.update(data)

    def resume(self, at: Checkpoint) -> bool:
        """Go on where another file was; False when the bytes skipped are not those that it read."""
        if (self._offset, self._digest.hexdigest()) != (at.offset, at.digest):
            return False
        self.format = at.format
        self._reader = reader_of_state(at.format, at.state)
        return True

    def _read(self, data: bytes, *, final: bool) -> list[Frame]:
        if self._reader is None:
            data = self._start = self._start + data
            self._reader = self._recognise(final=final)
            if self._reader is None:
                return []
            self._start = b""
        held = self._reader.rest
        found = list(self._reader.read(data, final=final))
        if (used := len(held) + len(data) - len(self._reader.rest)) > 0:
            self.skip((held + data)[:used])
        return found

    def _recognise(self, *, final: bool) -> Reader | None:
        """Return the reader of the format; None while too little of the file is there to tell."""
        if len(self._start) < len(BOM) and not final:
            return None
        text = self._start.removeprefix(BOM).lstrip()
        if text.startswith(_SQLITE):
            raise DatabaseFile
        if not final and len(self._start) < (HEAD_BYTES if b"\n" in text else MAX_BLANK):
            return None
        self.format = self.format or recognised(text)
        return READERS[self.format](text, self._table)
