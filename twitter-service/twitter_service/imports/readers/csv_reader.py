"""CSV that arrives in pieces. Of a broken record only the first line is rejected."""

from __future__ import annotations

import codecs
import csv
import io
import re
from collections.abc import Iterator
from typing import Any

from twitter_service.errors import MissingColumns, NotUtf8
from twitter_service.tweets.model import NewTweet, Rejection, Unusable, tweet_of_fields

_Found = list[NewTweet | Rejection]
REQUIRED = ("id", "username", "created_at", "text")
MAX_RECORD = 100_000
"""Characters of a CSV record; a quote that is still open after so many is taken for one that is never closed."""

# RFC 4180, but a quote inside an unquoted field is an ordinary character, as spreadsheets write it.
_FIELD = r'(?:"(?:[^"]++|"")*+"|[^",\n][^,\n]*+|)'
_RECORD = re.compile(rf"{_FIELD}(?:,{_FIELD})*+")
_LONG_ID = re.compile(r"\d{10,19}")


class CsvReader:
    """Records under a header; columns are found by name, in any case and order."""

    rest = b""

    def __init__(self, line: int = 1) -> None:
        self.line = line
        self._header: list[str] | None = None
        self._text = ""
        self._position = 0
        self._skips_line = False
        self._lines_fed = line - 1
        utf8 = codecs.getincrementaldecoder("utf-8-sig")()
        self._decoder = io.IncrementalNewlineDecoder(utf8, translate=True)

    def state(self) -> dict[str, Any]:
        """See ``Reader``; holds at most one record of text."""
        pending, flag = self._decoder.getstate()
        return {
            "line": self.line,
            "lines_fed": self._lines_fed,
            "header": self._header,
            "rest": self._text[self._position :],
            "skips_line": self._skips_line,
            "decoder": [pending.hex(), flag],
        }

    @classmethod
    def of_state(cls, state: dict[str, Any]) -> CsvReader:
        """See ``Reader``."""
        reader = cls(state["line"])
        reader._lines_fed = state["lines_fed"]
        reader._header = state["header"]
        reader._text = state["rest"]
        reader._skips_line = state["skips_line"]
        pending, flag = state["decoder"]
        reader._decoder.setstate((bytes.fromhex(pending), flag))
        return reader

    def read(self, data: bytes, *, final: bool) -> Iterator[NewTweet | Rejection]:
        """See ``Reader``; raises ``MissingColumns`` at a header that lacks one."""
        text = self._decoded(data, final=final)
        self._lines_fed += text.count("\n")
        self._text = self._text[self._position :] + text
        self._position = 0
        if final and not self._text.endswith("\n"):
            self._text += "\n"
        while (found := self._step(final)) is not None:
            yield from found

    def _decoded(self, data: bytes, *, final: bool) -> str:
        try:
            return self._decoder.decode(data, final=final)
        except UnicodeDecodeError as error:
            good = bytes(error.object[: error.start])
            raise NotUtf8(line=self._lines_fed + 1 + len(re.findall(rb"\r\n?|\n", good))) from error

    def _step(self, final: bool) -> _Found | None:
        if self._skips_line:
            return self._skip_line()
        if self._position >= len(self._text):
            return None
        match = _RECORD.match(self._text, self._position)
        end = match.end() if match else self._position
        if self._text[end : end + 1] == "\n":
            return self._complete(self._text[self._position : end])
        fault = self._fault(end)
        if fault is None and not final and len(self._text) - self._position < MAX_RECORD:
            return None
        self._skips_line = True
        return self._refused(fault or "a quote is opened and never closed")

    def _fault(self, end: int) -> str | None:
        """Return what is wrong where the record stops; None when more text may complete it."""
        if end == len(self._text):
            return None
        opens_quote = self._text[end] == '"' and (end == self._position or self._text[end - 1] == ",")
        return None if opens_quote else "text follows a closing quote; inside quotes, write a quote twice"

    def _skip_line(self) -> _Found | None:
        newline = self._text.find("\n", self._position)
        if newline < 0:
            self._position = len(self._text)
            return None
        self._skips_line = False
        self._position = newline + 1
        self.line += 1
        return []

    def _complete(self, record: str) -> _Found:
        fields = next(csv.reader((record,), strict=True)) if '"' in record else record.split(",")
        if self._header is None and record.strip():
            self._header = _header(fields)
            return self._consume(record, [])
        if self._header is None or not record.strip():
            return self._consume(record, [])
        if "\n" in record and self._holds_rows(record):
            self._skips_line = True
            return self._refused("a quote is opened and never closed")
        if len(fields) != len(self._header):
            found = self._refused(f"{len(fields)} fields where the header has {len(self._header)}")
            # Several lines with a wrong count are most likely records that a stray quote glued together.
            self._skips_line = "\n" in record
            return found if self._skips_line else self._consume(record, found)
        return self._consume(record, _tweet(self.line, self._header, fields))

    def _holds_rows(self, record: str) -> bool:
        """True where a line within a record begins with the id of another tweet and has all its fields."""
        header = self._header or []
        place = header.index("id")
        rows = (line.split(",") for line in record.split("\n")[1:])
        return any(len(row) >= len(header) and _LONG_ID.fullmatch(row[place].strip('" ')) for row in rows)

    def _consume(self, record: str, found: _Found) -> _Found:
        self._position += len(record) + 1
        self.line += 1 + record.count("\n")
        return found

    def _refused(self, reason: str) -> _Found:
        if self._header is None:
            raise MissingColumns(missing=", ".join(REQUIRED))
        return [Rejection(self.line, reason)]


def _header(fields: list[str]) -> list[str]:
    names = [field.strip().lower() for field in fields]
    missing = [name for name in REQUIRED if name not in names]
    if missing:
        raise MissingColumns(missing=", ".join(missing))
    return names


def _tweet(line: int, header: list[str], fields: list[str]) -> _Found:
    try:
        return [tweet_of_fields(dict(zip(header, fields, strict=True)))]
    except Unusable as error:
        return [Rejection(line, str(error))]
