"""Tweets as a Parquet file, encoded one group of rows at a time."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from typing import Any, Literal

from twitter_service.tweets.records import StoredTweet

GROUP_ROWS = 10_000
Kind = Literal["whole", "share", "text", "texts", "time"]


class _Buffer:
    """A write-only file in memory: keeps what the Parquet writer writes until it is fetched."""

    closed = False

    def __init__(self) -> None:
        self._written = 0
        self._parts: list[bytes] = []

    def write(self, data: Any) -> int:
        part = bytes(data)
        self._parts.append(part)
        self._written += len(part)
        return len(part)

    def tell(self) -> int:
        return self._written

    def flush(self) -> None:
        """Do nothing: what was written can be fetched already."""

    def close(self) -> None:
        """Do nothing: what was written can still be fetched."""

    def fetch(self) -> bytes:
        parts, self._parts = self._parts, []
        return b"".join(parts)


class ParquetEncoder:
    """Rows of tweets as one file in zstd, ``GROUP_ROWS`` to a group. A cut file has no end and is not read."""

    def __init__(self, columns: Mapping[str, Kind]) -> None:
        self._columns = columns
        self._arrow: Any = None
        self._schema: Any = None
        self._writer: Any = None
        self._buffer = _Buffer()
        self._waiting: list[StoredTweet] = []

    async def begin(self) -> bytes:
        """Return the first bytes of the file."""
        return await asyncio.to_thread(self._open)

    async def rows(self, rows: Sequence[StoredTweet]) -> bytes:
        """Return the bytes that these rows complete."""
        self._waiting += rows
        return await asyncio.to_thread(self._write) if len(self._waiting) >= GROUP_ROWS else b""

    async def end(self) -> bytes:
        """Return the rest of the file."""
        return await asyncio.to_thread(self._close)

    def _open(self) -> bytes:
        # 60 MB of memory that only this format needs.
        import pyarrow
        from pyarrow.parquet import ParquetWriter

        self._arrow, self._schema = pyarrow, _schema(pyarrow, self._columns)
        self._writer = ParquetWriter(self._buffer, self._schema, compression="zstd")
        return self._buffer.fetch()

    def _write(self) -> bytes:
        rows, self._waiting = self._waiting, []
        columns = [self._arrow.array([getattr(row, field.name) for row in rows], field.type) for field in self._schema]
        self._writer.write_table(self._arrow.Table.from_arrays(columns, schema=self._schema), row_group_size=GROUP_ROWS)
        return self._buffer.fetch()

    def _close(self) -> bytes:
        before = self._write() if self._waiting else b""
        self._writer.close()
        return before + self._buffer.fetch()


def _schema(arrow: Any, columns: Mapping[str, Kind]) -> Any:
    types = {
        "whole": arrow.int64(),
        "share": arrow.float64(),
        "text": arrow.string(),
        "texts": arrow.list_(arrow.string()),
        "time": arrow.timestamp("us", tz="UTC"),
    }
    return arrow.schema({name: types[kind] for name, kind in columns.items()})
