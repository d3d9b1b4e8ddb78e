"""The bytes of an upload: unpacked where they are packed, and cut into pieces of one size."""

from __future__ import annotations

import zlib
from collections.abc import AsyncIterator, Iterator

from twitter_service.errors import BrokenGzip, UnpackedTooLarge
from twitter_service.imports.readers.archive import ZIP_MAGIC, of_archive
from twitter_service.imports.readers.base import Recognised

_MAGIC = b"\x1f\x8b"
_STEP = 1 << 20


class Gunzip:
    """Unpacks what begins like gzip and passes on what does not; of one or several members. Memory is bounded."""

    def __init__(self, max_bytes: int) -> None:
        self._max_bytes = max_bytes
        self._left = max_bytes
        self._start = b""
        self._member: zlib._Decompress | None = None
        self._is_gzip: bool | None = None

    def feed(self, data: bytes) -> Iterator[bytes]:
        """Yield what ``data`` unpacks to; raises ``BrokenGzip`` or ``UnpackedTooLarge``."""
        if self._is_gzip is None:
            data = self._start = self._start + data
            if len(data) < len(_MAGIC):
                return
            self._is_gzip = data.startswith(_MAGIC)
        if self._is_gzip:
            yield from self._unpacked(data)
        else:
            yield data

    def finish(self) -> bytes:
        """Return the bytes that were too few to recognise; raises ``BrokenGzip`` when the end is missing."""
        if self._member is not None and not self._member.eof:
            raise BrokenGzip(why="its end is missing")
        return self._start if self._is_gzip is None else b""

    def _unpacked(self, data: bytes) -> Iterator[bytes]:
        while data:
            if self._member is None or self._member.eof:
                self._member = zlib.decompressobj(wbits=31)
            try:
                piece = self._member.decompress(data, _STEP)
            except zlib.error as error:
                raise BrokenGzip(why=str(error)) from error
            self._left -= len(piece)
            if self._left < 0:
                raise UnpackedTooLarge(limit=self._max_bytes)
            if piece:
                yield piece
            data = self._member.unconsumed_tail or self._member.unused_data.lstrip(b"\x00")


async def unpacked(pieces: AsyncIterator[bytes], max_bytes: int, recognised: Recognised) -> AsyncIterator[bytes]:
    """Yield the bytes of an upload, unpacked: of gzip, of a zip of one file, and a workbook as CSV.

    Raises ``BrokenGzip``, ``BrokenArchive``, ``ArchiveNotSingle``, ``BrokenWorkbook`` or ``UnpackedTooLarge``.
    """
    start = b""
    while len(start) < len(ZIP_MAGIC[0]) and (piece := await anext(pieces, b"")):
        start += piece
    if start.startswith(ZIP_MAGIC):
        async for part in of_archive(_chained(start, pieces), max_bytes, recognised):
            yield part
        return
    if start.startswith(_MAGIC):
        recognised.notes.append("compressed by gzip")
    gunzip = Gunzip(max_bytes)
    async for piece in _chained(start, pieces):
        for part in gunzip.feed(piece):
            yield part
    if rest := gunzip.finish():
        yield rest


async def _chained(start: bytes, pieces: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
    yield start
    async for piece in pieces:
        yield piece


async def cut(pieces: AsyncIterator[bytes], size: int) -> AsyncIterator[bytes]:
    """Cut a stream into pieces of ``size`` bytes: each costs one hop to a thread, and is held in memory."""
    held = bytearray()
    async for piece in pieces:
        held += piece
        while len(held) >= size:
            yield bytes(held[:size])
            del held[:size]
    if held:
        yield bytes(held)
