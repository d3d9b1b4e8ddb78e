"""Tweets as a file, in pieces: no more than a page or a group of rows is held at a time, and no transaction is open."""

from __future__ import annotations

import csv
import io
from collections.abc import AsyncIterator, Callable, Sequence
from dataclasses import replace
from types import MappingProxyType
from typing import Any, Literal, Protocol

import orjson

from twitter_service.queries.parquet import Kind, ParquetShape
from twitter_service.queries.service import Reader
from twitter_service.tweets.repository import Row, TweetFilter

PAGE = 1_000
Format = Literal["jsonl", "csv", "parquet"]
MEDIA_TYPES: MappingProxyType[Format, str] = MappingProxyType(
    {"jsonl": "application/x-ndjson", "csv": "text/csv", "parquet": "application/vnd.apache.parquet"}
)
COLUMNS: MappingProxyType[str, Kind] = MappingProxyType(
    {
        "id": "whole", "username": "text", "author_id": "text", "created_at": "time", "text": "text", "lang": "text",
        "label": "text", "positive": "share", "neutral": "share", "negative": "share", "entities": "texts",
        "axes": "texts", "places": "texts", "credibility": "share", "retweets": "whole",
    }
)  # fmt: skip


class Shape(Protocol):
    """How rows become the bytes of a file."""

    async def begin(self) -> bytes:
        """Return the first bytes of the file."""

    async def rows(self, rows: Sequence[Row]) -> bytes:
        """Return the bytes that these rows complete, perhaps none yet."""

    async def end(self) -> bytes:
        """Return the rest of the file."""


class _Lines:
    """A text file with a record a line."""

    def __init__(self, head: bytes, lines: Callable[[Sequence[Row]], bytes]) -> None:
        self._head = head
        self._lines = lines

    async def begin(self) -> bytes:
        return self._head

    async def rows(self, rows: Sequence[Row]) -> bytes:
        return self._lines(rows)

    async def end(self) -> bytes:
        return b""


async def export(reader: Reader, wanted: TweetFilter, file_format: Format) -> AsyncIterator[bytes]:
    """Return the pieces of a file; raises ``EntityNotFound`` before the first one."""
    rows, cursor = await reader.tweets(replace(wanted, limit=PAGE), None)
    return _pieces(reader, replace(wanted, limit=PAGE), rows, cursor, _SHAPES[file_format]())


async def _pieces(
    reader: Reader, wanted: TweetFilter, rows: list[Row], cursor: str | None, shape: Shape
) -> AsyncIterator[bytes]:
    yield await shape.begin()
    yield await shape.rows(rows)
    while cursor is not None:
        rows, cursor = await reader.tweets(wanted, cursor)
        yield await shape.rows(rows)
    yield await shape.end()


def _json_lines(rows: Sequence[Row]) -> bytes:
    return b"".join(orjson.dumps(_record(row), option=orjson.OPT_UTC_Z | orjson.OPT_APPEND_NEWLINE) for row in rows)


def _csv(rows: Sequence[Row]) -> bytes:
    text = io.StringIO()
    csv.writer(text, lineterminator="\n").writerows([_cell(value) for value in _record(row).values()] for row in rows)
    return text.getvalue().encode()


def _record(row: Row) -> dict[str, Any]:
    return {name: str(row[name]) if name == "id" else row[name] for name in COLUMNS}


def _cell(value: Any) -> Any:
    if isinstance(value, list):
        return " ".join(value)
    return value.isoformat().replace("+00:00", "Z") if hasattr(value, "isoformat") else value


_SHAPES: MappingProxyType[Format, Callable[[], Shape]] = MappingProxyType(
    {
        "jsonl": lambda: _Lines(b"", _json_lines),
        "csv": lambda: _Lines((",".join(COLUMNS) + "\n").encode(), _csv),
        "parquet": lambda: ParquetShape(COLUMNS),
    }
)
