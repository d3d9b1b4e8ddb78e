"""Tweets out of a CSV or JSON Lines file that arrives in pieces, in constant memory.

``TweetFile`` takes bytes and returns tweets and rejections with their physical line. ``checkpoint`` says how far
it is, so that another ``TweetFile`` can go on from there when the file comes again.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, Literal, Protocol

from twitter_service.errors import NotUtf8
from twitter_service.imports.parser import Block, parsed
from twitter_service.imports.readers.csv_reader import CsvReader, Found
from twitter_service.tweets.model import NewTweet, Rejection

__all__ = ["MAX_LINE", "Checkpoint", "Format", "Found", "TweetFile"]

Format = Literal["csv", "jsonl"]
MAX_LINE = 16_000_000
"""Bytes of a JSON line; a twarc page of 500 tweets has about two million."""
_BOM = b"\xef\xbb\xbf"


class Reader(Protocol):
    """Turns bytes that arrive in pieces into tweets."""

    line: int
    rest: bytes
    """What was fed and waits for the end of its line; the next reader is fed it again."""

    def read(self, data: bytes, *, final: bool) -> Iterator[NewTweet | Rejection | Block]:
        """Yield what is complete; all that is left when ``final``."""

    def state(self) -> dict[str, Any]:
        """Return what a reader that goes on at ``rest`` has to know."""


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
        self._blank = b""
        self._offset = 0
        self._digest = hashlib.blake2b(digest_size=32)

    def feed(self, data: bytes) -> Found:
        """Return what ``data`` completes; raises ``NotUtf8`` or ``MissingColumns``."""
        return parsed(self.frames(data))

    def finish(self) -> Found:
        """Return what the end of the file completes; raises as ``feed``."""
        return parsed(self._read(b"", final=True))

    def frames(self, data: bytes) -> list[NewTweet | Rejection | Block]:
        """Return what ``data`` completes, JSON not parsed yet; raises as ``feed``."""
        return self._read(data, final=False)

    def last_frames(self, data: bytes) -> list[NewTweet | Rejection | Block]:
        """Return what ``data`` and the end of the file complete, JSON not parsed yet; raises as ``feed``."""
        return self.frames(data) + self._read(b"", final=True)

    def checkpoint(self) -> Checkpoint:
        """Return how far the file was read; everything before was returned."""
        state = self._reader.state() if self._reader else {}
        return Checkpoint(self._offset, self._digest.hexdigest(), self.format or "csv", state)

    def pass_over(self, data: bytes) -> None:
        """Count bytes that were read in an earlier attempt."""
        self._offset += len(data)
        self._digest.update(data)

    def resume(self, at: Checkpoint) -> bool:
        """Go on where another file was; False when the bytes passed over are not those that it read."""
        if (self._offset, self._digest.hexdigest()) != (at.offset, at.digest):
            return False
        self.format = at.format
        self._reader = CsvReader.of_state(at.state) if at.format == "csv" else JsonLinesReader.of_state(at.state)
        return True

    def _read(self, data: bytes, *, final: bool) -> list[NewTweet | Rejection | Block]:
        if self._reader is None:
            data = self._blank = self._blank + data
            if len(data) < len(_BOM) and not final:
                return []
            start = data.removeprefix(_BOM).lstrip()
            if not start and len(data) < MAX_LINE and not final:
                return []
            self.format = self.format or ("jsonl" if start[:1] in (b"{", b"[") else "csv")
            self._reader = CsvReader() if self.format == "csv" else JsonLinesReader()
            self._blank = b""
        held = self._reader.rest
        found = list(self._reader.read(data, final=final))
        if (used := len(held) + len(data) - len(self._reader.rest)) > 0:
            self.pass_over((held + data)[:used])
        return found


class JsonLinesReader:
    """One JSON value a line: a tweet, a twarc page ``{"data": [...], "includes": ...}``, or a list of tweets."""

    def __init__(self, line: int = 1) -> None:
        self.line = line
        self.rest = b""
        self._drops_rest = False

    def state(self) -> dict[str, Any]:
        """See ``Reader``."""
        return {"line": self.line, "drops_rest": self._drops_rest}

    @classmethod
    def of_state(cls, state: dict[str, Any]) -> JsonLinesReader:
        """Return a reader that goes on where another was."""
        reader = cls(state["line"])
        reader._drops_rest = state["drops_rest"]
        return reader

    def read(self, data: bytes, *, final: bool) -> Iterator[Rejection | Block]:
        """See ``Reader``; raises ``NotUtf8``."""
        lines = (self.rest + data).splitlines(keepends=True)
        # A carriage return at the end may be the first half of a line end.
        self.rest = b"" if final or not lines or lines[-1].endswith(b"\n") else lines.pop()
        if lines and self._drops_rest:
            del lines[0]
            self._drops_rest = False
            self.line += 1
        if lines:
            yield self._block(lines)
            self.line += len(lines)
        if len(self.rest) > MAX_LINE:
            yield Rejection(self.line, f"the line is longer than {MAX_LINE} bytes")
            self._drops_rest = True
        if self._drops_rest:
            self.rest = b""

    def _block(self, lines: list[bytes]) -> Block:
        if self.line == 1 and (start := lines[0].lstrip()).startswith(_BOM):
            lines[0] = start.removeprefix(_BOM)
        data = b"".join(lines)
        try:
            data.decode()
        except UnicodeDecodeError as error:
            good = data[: error.start] + b"?"
            raise NotUtf8(line=self.line + len(good.splitlines()) - 1) from error
        return Block(self.line, data)
