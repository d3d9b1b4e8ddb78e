"""Tweets as a file, in pieces: no more than one page is held at a time, and no transaction is kept open."""

from __future__ import annotations

import csv
import io
from collections.abc import AsyncIterator, Callable, Sequence
from dataclasses import replace
from types import MappingProxyType
from typing import Any, Literal

import orjson

from twitter_service.reading import Reader
from twitter_service.store import Row, TweetFilter

PAGE = 1_000
MEDIA_TYPES = MappingProxyType({"jsonl": "application/x-ndjson", "csv": "text/csv"})
COLUMNS = (
    "id", "username", "author_id", "created_at", "text", "lang", "label", "positive", "neutral", "negative", "entities",
    "axes", "places", "credibility", "retweets",
)  # fmt: skip


async def export(reader: Reader, wanted: TweetFilter, file_format: Literal["jsonl", "csv"]) -> AsyncIterator[bytes]:
    """Return the pieces of a file; raises ``EntityNotFound`` before the first one."""
    rows, cursor = await reader.tweets(replace(wanted, limit=PAGE), None)
    return _pieces(reader, replace(wanted, limit=PAGE), rows, cursor, _csv if file_format == "csv" else _json_lines)


async def _pieces(
    reader: Reader, wanted: TweetFilter, rows: list[Row], cursor: str | None, shape: Callable[[Sequence[Row]], bytes]
) -> AsyncIterator[bytes]:
    if shape is _csv:
        yield (",".join(COLUMNS) + "\n").encode()
    yield shape(rows)
    while cursor is not None:
        rows, cursor = await reader.tweets(wanted, cursor)
        yield shape(rows)


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
