"""Tweets as a file, streamed: at most a page or a group of rows is in memory, and no transaction stays open."""

from __future__ import annotations

import csv
import io
from collections.abc import AsyncIterator, Callable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from functools import partial
from types import MappingProxyType
from typing import Any, Literal, Protocol

import orjson

from castor_chassis import normal_time
from twitter_service.queries.parquet import Kind, ParquetEncoder
from twitter_service.queries.service import QueryService
from twitter_service.tweets.records import StoredTweet, TweetFilter

PAGE_TWEETS = 1_000
Format = Literal["jsonl", "csv", "parquet"]
MEDIA_TYPES: MappingProxyType[Format, str] = MappingProxyType(
    {"jsonl": "application/x-ndjson", "csv": "text/csv", "parquet": "application/vnd.apache.parquet"}
)
FORMULA_BEGINNINGS = ("=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠")
"""A cell that begins so may be run by a spreadsheet; after OWASP's page on CSV injection."""
_BOM = "\ufeff"
COLUMNS: MappingProxyType[str, Kind] = MappingProxyType(
    {
        "id": "whole", "username": "text", "author_id": "text", "created_at": "time", "text": "text", "lang": "text",
        "label": "text", "positive": "share", "neutral": "share", "negative": "share", "entities": "texts",
        "counted_as": "texts",
        "axes": "texts", "places": "texts", "credibility": "share", "retweets": "whole",
    }
)  # fmt: skip


@dataclass(frozen=True)
class CsvForm:
    """How a CSV is written. ``is_raw``: cells as they are, also those that a spreadsheet would run.

    ``for_excel``: as Excel in Spanish opens it: byte-order mark, semicolons, an apostrophe before ids, which Excel
    would round otherwise. An import takes both back.
    """

    is_raw: bool = False
    for_excel: bool = False


class Encoder(Protocol):
    """Turns rows into the bytes of a file."""

    async def begin(self) -> bytes:
        """Return the first bytes of the file."""

    async def rows(self, rows: Sequence[StoredTweet]) -> bytes:
        """Return the bytes that these rows complete, perhaps none yet."""

    async def end(self) -> bytes:
        """Return the rest of the file."""


class _LineEncoder:
    """A text file with a record a line."""

    def __init__(self, head: bytes, lines: Callable[[Sequence[StoredTweet]], bytes]) -> None:
        self._head = head
        self._lines = lines

    async def begin(self) -> bytes:
        return self._head

    async def rows(self, rows: Sequence[StoredTweet]) -> bytes:
        return self._lines(rows)

    async def end(self) -> bytes:
        return b""


async def export(
    queries: QueryService, filters: TweetFilter, file_format: Format, form: CsvForm | None = None
) -> AsyncIterator[bytes]:
    """Return the pieces of a file; raises ``EntityNotFound`` or ``DatasetNotFound`` before the first one."""
    filters = replace(filters, limit=PAGE_TWEETS)
    rows = await queries.tweets(filters)
    return _pieces(queries, filters, rows, _ENCODERS[file_format](form or CsvForm()))


async def _pieces(
    queries: QueryService, filters: TweetFilter, rows: list[StoredTweet], encoder: Encoder
) -> AsyncIterator[bytes]:
    yield await encoder.begin()
    yield await encoder.rows(rows)
    while len(rows) == PAGE_TWEETS:
        filters = replace(filters, before=(rows[-1].created_at, rows[-1].id))
        rows = await queries.tweets(filters)
        yield await encoder.rows(rows)
    yield await encoder.end()


def _json_lines(rows: Sequence[StoredTweet]) -> bytes:
    records = ({**_record(row), "created_at": normal_time(row.created_at)} for row in rows)
    return b"".join(orjson.dumps(record, option=orjson.OPT_APPEND_NEWLINE) for record in records)


def _csv_encoder(form: CsvForm) -> Encoder:
    separator, begin = (";", _BOM) if form.for_excel else (",", "")
    cell = partial(_cell, form=form)

    def lines(rows: Sequence[StoredTweet]) -> bytes:
        text = io.StringIO()
        writer = csv.writer(text, lineterminator="\n", delimiter=separator)
        writer.writerows([cell(name, value) for name, value in _record(row).items()] for row in rows)
        return text.getvalue().encode()

    return _LineEncoder((begin + separator.join(COLUMNS) + "\n").encode(), lines)


def _record(row: StoredTweet) -> dict[str, Any]:
    return {name: str(row.id) if name == "id" else getattr(row, name) for name in COLUMNS}


def _cell(name: str, value: Any, form: CsvForm) -> Any:
    if isinstance(value, list):
        value = " ".join(value)
    if isinstance(value, datetime):
        return normal_time(value)
    is_id = form.for_excel and name in ("id", "author_id") and value
    is_formula = not form.is_raw and isinstance(value, str) and value.startswith(FORMULA_BEGINNINGS)
    return f"'{value}" if is_id or is_formula else value


_ENCODERS: MappingProxyType[Format, Callable[[CsvForm], Encoder]] = MappingProxyType(
    {
        "jsonl": lambda _form: _LineEncoder(b"", _json_lines),
        "csv": _csv_encoder,
        "parquet": lambda _form: ParquetEncoder(COLUMNS),
    }
)
