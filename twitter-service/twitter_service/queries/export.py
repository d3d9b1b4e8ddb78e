"""Tweets as a file, streamed: at most a page or a group of rows is in memory, and no transaction stays open."""

from __future__ import annotations

import csv
import io
from collections.abc import AsyncIterator, Callable, Sequence
from dataclasses import replace
from types import MappingProxyType
from typing import Any, Literal, Protocol

import orjson

from twitter_service.queries.parquet import Kind, ParquetEncoder
from twitter_service.queries.service import QueryService
from twitter_service.tweets.repository import StoredTweet, TweetFilter

PAGE_TWEETS = 1_000
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


async def export(queries: QueryService, filters: TweetFilter, file_format: Format) -> AsyncIterator[bytes]:
    """Return the pieces of a file; raises ``EntityNotFound`` before the first one."""
    rows, cursor = await queries.tweets(replace(filters, limit=PAGE_TWEETS), None)
    return _pieces(queries, replace(filters, limit=PAGE_TWEETS), rows, cursor, _ENCODERS[file_format]())


async def _pieces(
    queries: QueryService, filters: TweetFilter, rows: list[StoredTweet], cursor: str | None, encoder: Encoder
) -> AsyncIterator[bytes]:
    yield await encoder.begin()
    yield await encoder.rows(rows)
    while cursor is not None:
        rows, cursor = await queries.tweets(filters, cursor)
        yield await encoder.rows(rows)
    yield await encoder.end()


def _json_lines(rows: Sequence[StoredTweet]) -> bytes:
    return b"".join(orjson.dumps(_record(row), option=orjson.OPT_UTC_Z | orjson.OPT_APPEND_NEWLINE) for row in rows)


def _csv(rows: Sequence[StoredTweet]) -> bytes:
    text = io.StringIO()
    csv.writer(text, lineterminator="\n").writerows([_cell(value) for value in _record(row).values()] for row in rows)
    return text.getvalue().encode()


def _record(row: StoredTweet) -> dict[str, Any]:
    return {name: str(row.id) if name == "id" else getattr(row, name) for name in COLUMNS}


def _cell(value: Any) -> Any:
    if isinstance(value, list):
        return " ".join(value)
    return value.isoformat().replace("+00:00", "Z") if hasattr(value, "isoformat") else value


_ENCODERS: MappingProxyType[Format, Callable[[], Encoder]] = MappingProxyType(
    {
        "jsonl": lambda: _LineEncoder(b"", _json_lines),
        "csv": lambda: _LineEncoder((",".join(COLUMNS) + "\n").encode(), _csv),
        "parquet": lambda: ParquetEncoder(COLUMNS),
    }
)
