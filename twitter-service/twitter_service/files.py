"""Tweets out of a CSV or JSON Lines file that arrives in pieces, in constant memory.

``TweetFile`` takes bytes and returns tweets and rejections with their physical line. A broken record costs
its first line only: reading goes on with the next line, even inside what an unclosed quote would swallow.
"""

from __future__ import annotations

import codecs
import csv
import io
import re
from collections.abc import Iterator
from typing import Any, Literal, Protocol

import orjson

from twitter_service.errors import MissingColumns, NotUtf8
from twitter_service.tweets import NewTweet, Rejection, Unusable, tweet_of_fields, tweet_of_object

Format = Literal["csv", "jsonl"]
Found = list[NewTweet | Rejection]
REQUIRED = ("id", "username", "created_at", "text")
MAX_RECORD = 100_000
"""Characters of a CSV record; an open quote is given up after so many."""
MAX_LINE = 16_000_000
"""Characters of a JSON line; a twarc page of 500 tweets has about two million."""

# RFC 4180, but a quote inside an unquoted field is an ordinary character, as spreadsheets write it.
_FIELD = r'(?:"(?:[^"]++|"")*+"|[^",\n][^,\n]*+|)'
_RECORD = re.compile(rf"{_FIELD}(?:,{_FIELD})*+")


class Reader(Protocol):
    """Turns text that arrives in pieces into tweets."""

    line: int

    def read(self, text: str, *, final: bool) -> Iterator[NewTweet | Rejection]:
        """Yield what is complete; all that is left when ``final``."""


class TweetFile:
    """One file; not for use from several threads at once. The format is recognised where none is given."""

    def __init__(self, file_format: Format | None = None) -> None:
        self.format = file_format
        utf8 = codecs.getincrementaldecoder("utf-8-sig")()
        self._decoder = io.IncrementalNewlineDecoder(utf8, translate=True)
        self._reader: Reader | None = None
        self._lines_fed = 0

    def feed(self, data: bytes) -> Found:
        """Return what ``data`` completes; raises ``NotUtf8`` or ``MissingColumns``."""
        return self._read(data, final=False)

    def finish(self) -> Found:
        """Return what the end of the file completes; raises as ``feed``."""
        return self._read(b"", final=True)

    def _read(self, data: bytes, *, final: bool) -> Found:
        text = self._decoded(data, final=final)
        lines_before = self._lines_fed
        self._lines_fed += text.count("\n")
        if self._reader is None:
            start = text.lstrip()
            if not start:
                return []
            self.format = self.format or ("jsonl" if start[0] in "{[" else "csv")
            self._reader = CsvReader() if self.format == "csv" else JsonLinesReader()
            self._reader.line += lines_before
        return list(self._reader.read(text, final=final))

    def _decoded(self, data: bytes, *, final: bool) -> str:
        try:
            return self._decoder.decode(data, final=final)
        except UnicodeDecodeError as error:
            good = bytes(error.object[: error.start])
            raise NotUtf8(line=self._lines_fed + 1 + len(re.findall(rb"\r\n?|\n", good))) from error


class CsvReader:
    """Records under a header; columns are found by name, in any case and order."""

    def __init__(self) -> None:
        self.line = 1
        self._header: list[str] | None = None
        self._text = ""
        self._at = 0
        self._skips_line = False

    def read(self, text: str, *, final: bool) -> Iterator[NewTweet | Rejection]:
        """See ``Reader``; raises ``MissingColumns`` at a header that lacks one."""
        self._text = self._text[self._at :] + text
        self._at = 0
        if final and not self._text.endswith("\n"):
            self._text += "\n"
        while (found := self._step(final)) is not None:
            yield from found

    def _step(self, final: bool) -> Found | None:
        if self._skips_line:
            return self._skip_line()
        if self._at >= len(self._text):
            return None
        match = _RECORD.match(self._text, self._at)
        end = match.end() if match else self._at
        if self._text[end : end + 1] == "\n":
            return self._complete(self._text[self._at : end])
        fault = self._fault(end)
        if fault is None and not final and len(self._text) - self._at < MAX_RECORD:
            return None
        self._skips_line = True
        return self._refused(fault or "a quote is opened and never closed")

    def _fault(self, end: int) -> str | None:
        """Return what is wrong where the record stops; None when more text may complete it."""
        if end == len(self._text):
            return None
        opens_quote = self._text[end] == '"' and (end == self._at or self._text[end - 1] == ",")
        return None if opens_quote else "text follows a closing quote; inside quotes, write a quote twice"

    def _skip_line(self) -> Found | None:
        newline = self._text.find("\n", self._at)
        if newline < 0:
            self._at = len(self._text)
            return None
        self._skips_line = False
        self._at = newline + 1
        self.line += 1
        return []

    def _complete(self, record: str) -> Found:
        fields = next(csv.reader((record,), strict=True)) if '"' in record else record.split(",")
        if self._header is None and record.strip():
            self._header = _header(fields)
            return self._consume(record, [])
        if self._header is None or not record.strip():
            return self._consume(record, [])
        if len(fields) != len(self._header):
            found = self._refused(f"{len(fields)} fields where the header has {len(self._header)}")
            # Several lines with a wrong count are most likely records that a stray quote glued together.
            self._skips_line = "\n" in record
            return found if self._skips_line else self._consume(record, found)
        return self._consume(record, _tweet(self.line, self._header, fields))

    def _consume(self, record: str, found: Found) -> Found:
        self._at += len(record) + 1
        self.line += 1 + record.count("\n")
        return found

    def _refused(self, reason: str) -> Found:
        if self._header is None:
            raise MissingColumns(missing=", ".join(REQUIRED))
        return [Rejection(self.line, reason)]


def _header(fields: list[str]) -> list[str]:
    names = [field.strip().lower() for field in fields]
    missing = [name for name in REQUIRED if name not in names]
    if missing:
        raise MissingColumns(missing=", ".join(missing))
    return names


def _tweet(line: int, header: list[str], fields: list[str]) -> Found:
    try:
        return [tweet_of_fields(dict(zip(header, fields, strict=True)))]
    except Unusable as error:
        return [Rejection(line, str(error))]


class JsonLinesReader:
    """One JSON value a line: a tweet, a twarc page ``{"data": [...], "includes": ...}``, or a list of tweets."""

    def __init__(self) -> None:
        self.line = 1
        self._rest = ""
        self._drops_rest = False

    def read(self, text: str, *, final: bool) -> Iterator[NewTweet | Rejection]:
        """See ``Reader``."""
        lines = (self._rest + text).split("\n")
        self._rest = "" if final else lines.pop()
        for line in lines:
            if not self._drops_rest and line.strip():
                yield from _tweets_of_line(self.line, line)
            self._drops_rest = False
            self.line += 1
        if len(self._rest) > MAX_LINE:
            yield Rejection(self.line, f"the line is longer than {MAX_LINE} characters")
            self._drops_rest = True
        if self._drops_rest:
            self._rest = ""


def _tweets_of_line(line: int, text: str) -> Iterator[NewTweet | Rejection]:
    try:
        value = orjson.loads(text)
    except orjson.JSONDecodeError as error:
        yield Rejection(line, f"it is not JSON: {error.msg} at character {error.pos + 1}")
        return
    items, is_page = _items(value)
    usernames = _usernames(value)
    for number, item in enumerate(items, 1):
        try:
            yield tweet_of_object(item, usernames)
        except Unusable as error:
            yield Rejection(line, f"tweet {number} of the page: {error}" if is_page else str(error))


def _items(value: Any) -> tuple[list[Any], bool]:
    if isinstance(value, list):
        return value, True
    if not isinstance(value, dict) or "id" in value or not value.keys() & {"data", "includes", "meta", "errors"}:
        return [value], False
    data = value.get("data", [])
    return (data if isinstance(data, list) else [data]), True


def _usernames(value: Any) -> dict[str, str]:
    includes = value.get("includes") if isinstance(value, dict) else None
    users = includes.get("users") if isinstance(includes, dict) else None
    known = [user for user in users if isinstance(user, dict)] if isinstance(users, list) else []
    return {str(user.get("id")): str(user.get("username") or "") for user in known}
