"""One CSV or JSON Lines file that arrives in pieces, read in constant memory.

``TweetFile`` takes bytes and returns tweets and rejections with their physical line. ``checkpoint`` says how far
it is, so that another ``TweetFile`` can go on from there when the file comes again.

A new format needs a ``Reader``, a line in ``READERS`` and, unless its name is always given, a rule in ``recognised``.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any

from twitter_service.imports.readers.base import BOM, Format, Frame, Reader
from twitter_service.imports.readers.csv_reader import CsvReader
from twitter_service.imports.readers.jsonl_reader import JsonLinesReader

READERS: Mapping[Format, type[CsvReader] | type[JsonLinesReader]] = MappingProxyType(
    {"csv": CsvReader, "jsonl": JsonLinesReader}
)
MAX_BLANK = 16_000_000
"""White space at the beginning of a file after which its format is recognised all the same."""


def recognised(start: bytes) -> Format:
    """Return the format of a file by its first bytes, without byte-order mark and white space."""
    return "jsonl" if start[:1] in (b"{", b"[") else "csv"


@dataclass(frozen=True)
class Checkpoint:
    """How far a file was read: bytes, their BLAKE2 digest, and the state of its reader."""

    offset: int = 0
    digest: str = ""
    format: Format = "csv"
    state: dict[str, Any] = field(default_factory=dict)


class TweetFile:
    """One file; not for use from several threads at once. The format is recognised where none is given."""

    def __init__(self, file_format: Format | None = None) -> None:
        self.format = file_format
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
        self._reader = READERS[at.format].of_state(at.state)
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
        if not text and len(self._start) < MAX_BLANK and not final:
            return None
        self.format = self.format or recognised(text)
        return READERS[self.format]()
