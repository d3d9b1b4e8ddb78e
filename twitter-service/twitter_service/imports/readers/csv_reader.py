"""CSV that arrives in pieces. Of a broken record only the first line is rejected."""

from __future__ import annotations

import codecs
import csv
import io
import re
from collections.abc import Iterator
from functools import lru_cache
from typing import Any

from twitter_service.errors import MissingColumns, NotUtf8
from twitter_service.imports.readers.base import before_cut
from twitter_service.imports.readers.table_columns import (
    REQUIRED,
    SEPARATOR_NAMES,
    TableOptions,
    places_of,
    separator_of,
)
from twitter_service.tweets.model import NewTweet, Rejection, Unusable, is_day, tweet_of_fields

_Found = list[NewTweet | Rejection]
MAX_RECORD = 100_000
"""Characters of a CSV record; a quote that is still open after so many is taken for one that is never closed."""

_BLANK_LINES = re.compile(r"\s*\n")
_SEPARATOR_LINE = re.compile(r"\"?sep=(.)\"?")


_LONG_ID = re.compile(r"\d{10,19}")
# What an export puts before a cell that a spreadsheet would run.
_APOSTROPHE = re.compile("^'(?=[=+@\t\r\n＝＋－＠-])")
_YEAR = re.compile(r"\b20\d\d")


@lru_cache
def _record_pattern(separator: str) -> re.Pattern[str]:
    # RFC 4180, but a quote inside an unquoted field is an ordinary character, as spreadsheets write it.
    mark = re.escape(separator)
    column = rf'(?:"(?:[^"]++|"")*+"|[^"{mark}\n][^{mark}\n]*+|)'
    return re.compile(rf"{column}(?:{mark}{column})*+")


class CsvReader:
    """Records under a header; columns are found by name, in any case and order, and the separator by the header."""

    rest = b""

    def __init__(self, options: TableOptions | None = None, line: int = 1) -> None:
        self.line = line
        self._options = options or TableOptions()
        self._header: list[str] | None = None
        self._separator: str | None = "," if self._options.is_sheet else None
        self._places: dict[str, tuple[int, ...]] = {}
        self._is_own_export = False
        self._text = ""
        self._position = 0
        self._skips_line = False
        self._lines_fed = line - 1
        self._days = 0
        utf8 = codecs.getincrementaldecoder("utf-8-sig")()
        self._decoder = io.IncrementalNewlineDecoder(utf8, translate=True)

    def notes(self) -> list[str]:
        """See ``Reader``."""
        header = self._header or []
        renamed = [f"{name} is {header[at[0]].strip()!r}" for name, at in self._places.items()
                   if header[at[0]].strip().lower() != name]  # fmt: skip
        separator = SEPARATOR_NAMES.get(self._mark)
        notes = [f"the separator is the {separator}"] if separator else []
        notes += [f"columns: {', '.join(renamed)}"] if renamed else []
        notes += [f"dates with slashes are read as {self._options.dates}"] if self._options.dates else []
        if self._days:
            notes.append(f"{self._days} dates without a time are the beginning of that day in Bogotá")
        return notes

    def state(self) -> dict[str, Any]:
        """See ``Reader``; holds at most one record of text."""
        pending, flag = self._decoder.getstate()
        return {
            "line": self.line,
            "lines_fed": self._lines_fed,
            "header": self._header,
            "separator": self._separator,
            "columns": dict(self._options.columns),
            "dates": self._options.dates,
            "is_sheet": self._options.is_sheet,
            "days": self._days,
            "rest": self._text[self._position :],
            "skips_line": self._skips_line,
            "decoder": [pending.hex(), flag],
        }

    @classmethod
    def of_state(cls, state: dict[str, Any]) -> CsvReader:
        """See ``Reader``."""
        reader = cls(
            TableOptions(state.get("columns", {}), state.get("dates"), state.get("is_sheet", False)), state["line"]
        )
        reader._days = state.get("days", 0)
        reader._lines_fed = state["lines_fed"]
        if state["header"] is not None:
            reader._open(state["header"], state.get("separator", ","))
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
            if (text := before_cut(error)) is not None:
                return text
            good = bytes(error.object[: error.start])
            raise NotUtf8(line=self._lines_fed + 1 + len(re.findall(rb"\r\n?|\n", good))) from error

    def _step(self, final: bool) -> _Found | None:
        if self._skips_line:
            return self._skip_line()
        if self._position >= len(self._text):
            return None
        if self._separator is None and not self._find_separator(final):
            return None
        match = _record_pattern(self._mark).match(self._text, self._position)
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
        opens_quote = self._text[end] == '"' and (end == self._position or self._text[end - 1] == self._mark)
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
        if len(record) > MAX_RECORD and '"' in record:
            # The parser of quoted fields raises above 131,072 characters.
            return self._consume(record, self._refused(f"the record has more than {MAX_RECORD} characters"))
        fields = self._fields(record)
        if self._header is None and record.strip():
            self._open(fields, self._mark)
            return self._consume(record, [])
        if self._header is None or not record.strip():
            return self._consume(record, [])
        if "\n" in record and not self._options.is_sheet and self._holds_rows(record, fields):
            self._skips_line = True
            return self._refused("a quote is opened and never closed")
        if len(fields) != len(self._header):
            found = self._refused(f"{len(fields)} fields where the header has {len(self._header)}")
            # Several lines with a wrong count are most likely records that a stray quote glued together.
            self._skips_line = "\n" in record and not self._options.is_sheet
            return found if self._skips_line else self._consume(record, found)
        return self._consume(record, self._tweet(fields))

    @property
    def _mark(self) -> str:
        return self._separator or ","

    def _find_separator(self, final: bool) -> bool:
        """Find the separator in the first line that is not blank; False while it has not come.

        Raises ``MissingColumns`` when ``MAX_RECORD`` characters hold no line: nothing else bounds what is held.
        """
        if blank := _BLANK_LINES.match(self._text, self._position):
            self.line += blank[0].count("\n")
            self._position = blank.end()
        if self._position >= len(self._text):
            return False
        end = self._text.find("\n", self._position)
        if end < 0 and len(self._text) - self._position > MAX_RECORD:
            raise MissingColumns(missing=", ".join(REQUIRED), header=f"{MAX_RECORD} characters without a line end")
        if end < 0:
            return final
        line = self._text[self._position : end].lstrip()
        if match := _SEPARATOR_LINE.fullmatch(line.strip(",; ")) or _SEPARATOR_LINE.fullmatch(line.strip()):
            self.line += 1
            self._position = end + 1
        self._separator = match[1] if match else separator_of(line)
        return True

    def _open(self, header: list[str], separator: str) -> None:
        """Take a header; raises ``MissingColumns`` or ``RepeatedColumn``."""
        self._places = places_of(header, self._options)
        self._header, self._separator = header, separator
        self._is_own_export = {"credibility", "axes", "places"} <= set(header)

    def _fields(self, record: str) -> list[str]:
        mark = self._mark
        return next(csv.reader((record,), delimiter=mark, strict=True)) if '"' in record else record.split(mark)

    def _tweet(self, fields: list[str]) -> _Found:
        values = {
            name: next((fields[place] for place in places if fields[place].strip()), fields[places[0]])
            for name, places in self._places.items()
        }
        if len(when := self._places["created_at"]) == 3:
            values["created_at"] = "{}T{}{}".format(*(fields[place].strip() for place in when))
        if self._is_own_export:
            values = {name: _APOSTROPHE.sub("", value) for name, value in values.items()}
        try:
            found: _Found = [tweet_of_fields(values, self._options.dates)]
        except Unusable as error:
            return [Rejection(self.line, str(error))]
        self._days += is_day(values["created_at"])
        return found

    def _holds_rows(self, record: str, fields: list[str]) -> bool:
        """True where a line within a record begins another tweet: with an id of its own, a time, and all fields."""
        width, at, when = len(self._header or []), self._places["id"][0], self._places["created_at"][0]
        own = fields[at].strip() if at < len(fields) else ""
        rows = (line.split(self._mark) for line in record.split("\n")[1:])
        return any(
            len(row) >= width
            and row[at].strip('" ') != own
            and _LONG_ID.fullmatch(row[at].strip('" '))
            and _YEAR.search(row[when])
            for row in rows
        )

    def _consume(self, record: str, found: _Found) -> _Found:
        self._position += len(record) + 1
        self.line += 1 if self._options.is_sheet else 1 + record.count("\n")
        return found

    def _refused(self, reason: str) -> _Found:
        if self._header is None:
            raise MissingColumns(missing=", ".join(REQUIRED), header="nothing that can be read")
        return [Rejection(self.line, reason)]
