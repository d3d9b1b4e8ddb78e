"""Uploads that have to be whole before they can be read: a zip of one file, and workbooks of Excel.

Both are archives whose table of contents is at their end, so they are kept in a temporary file meanwhile. What they
unpack to is bounded by what the table claims, which the reader holds them to.
"""

from __future__ import annotations

import asyncio
import zipfile
from collections.abc import AsyncGenerator, AsyncIterator, Iterator
from contextlib import aclosing, contextmanager
from tempfile import SpooledTemporaryFile
from typing import IO, cast

from castor_chassis import ServiceError
from twitter_service.errors import ArchiveNotSingle, BrokenArchive, UnpackedTooLarge
from twitter_service.imports.readers.base import Recognised
from twitter_service.imports.readers.workbook import WORKBOOK
from twitter_service.imports.readers.workbook_process import csv_of_workbook_apart

ZIP_MAGIC = (b"PK\x03\x04", b"PK\x05\x06")
"""Beginning of an archive, and of an empty one."""
_IN_MEMORY_BYTES = 4_000_000
_STEP = 1 << 20
_MAX_MEMBERS = 10_000
_MAX_READ = 1 << 20
"""Most bytes that are read of an archive at once. Its table of contents is read as a whole, and every entry becomes an
object: 46 bytes of a file take 300 of memory."""
_METHODS = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)
"""Others unpack a small piece to any size at once."""
_ARCHIVES = (b"PK\x03\x04", b"\x1f\x8b", b"7z\xbc\xaf", b"Rar!")


async def of_archive(pieces: AsyncIterator[bytes], max_bytes: int, recognised: Recognised) -> AsyncIterator[bytes]:
    """Yield the file in a zip, or the first sheet of a workbook as CSV.

    Raises ``BrokenArchive``, ``ArchiveNotSingle`` or ``UnpackedTooLarge``.
    """
    with SpooledTemporaryFile(_IN_MEMORY_BYTES) as file:
        async for piece in pieces:
            await asyncio.to_thread(file.write, piece)
        with _broken_archive():
            archive, members = await asyncio.to_thread(_opened, file, max_bytes)
            if any(member.filename == WORKBOOK for member in members):
                recognised.is_sheet = True
                parts = csv_of_workbook_apart(file, recognised)
            else:
                parts = _in_thread(_only_file(archive, members, recognised))
            async with aclosing(parts):
                async for part in parts:
                    yield part


@contextmanager
def _broken_archive() -> Iterator[None]:
    try:
        yield
    except ServiceError:
        raise
    except Exception as error:  # of broken offsets the library raises ValueError, OSError, zlib.error and others
        raise BrokenArchive(why=str(error)[:200] or type(error).__name__) from error


async def _in_thread(parts: Iterator[bytes]) -> AsyncGenerator[bytes]:
    while part := await asyncio.to_thread(next, parts, b""):
        yield part


class _SmallReads:
    """A file for ``zipfile`` that reads at most ``_MAX_READ`` bytes at once; raises ``BrokenArchive``.

    Where the table of contents begins and ends is thus left to the library, which takes it from several records.
    """

    def __init__(self, file: IO[bytes]) -> None:
        self._file = file
        self.seek, self.tell, self.seekable, self.close = file.seek, file.tell, file.seekable, file.close

    def read(self, size: int = -1) -> bytes:
        """Return the next ``size`` bytes, or all that are left."""
        data = self._file.read(_MAX_READ + 1 if size < 0 else min(size, _MAX_READ + 1))
        if len(data) > _MAX_READ:
            raise BrokenArchive(why=f"its table of contents is larger than {_MAX_READ} bytes")
        return data


def _opened(file: IO[bytes], max_bytes: int) -> tuple[zipfile.ZipFile, list[zipfile.ZipInfo]]:
    archive = zipfile.ZipFile(cast("IO[bytes]", _SmallReads(file)))
    return archive, _members(archive, max_bytes)


def _members(archive: zipfile.ZipFile, max_bytes: int) -> list[zipfile.ZipInfo]:
    members = [member for member in archive.infolist() if not member.is_dir() and not _is_hidden(member.filename)]
    if len(members) > _MAX_MEMBERS or sum(member.file_size for member in members) > max_bytes:
        raise UnpackedTooLarge(limit=max_bytes)
    if any(member.flag_bits & 1 for member in members):
        raise BrokenArchive(why="it is locked with a password")
    if any(member.compress_type not in _METHODS for member in members):
        raise BrokenArchive(why="it is compressed in another way than deflate")
    return members


def _is_hidden(name: str) -> bool:
    # What macOS adds to an archive.
    return name.startswith("__MACOSX/") or name.rsplit("/", 1)[-1] == ".DS_Store"


def _only_file(archive: zipfile.ZipFile, members: list[zipfile.ZipInfo], recognised: Recognised) -> Iterator[bytes]:
    if len(members) != 1:
        raise ArchiveNotSingle(files=len(members))
    recognised.notes.append(f"the file {members[0].filename[:100]!r} of a zip archive")
    with archive.open(members[0]) as member:
        first = member.read(_STEP)
        if first.startswith(_ARCHIVES):
            raise BrokenArchive(why="it holds another archive; send that one as it is")
        while first:
            yield first
            first = member.read(_STEP)
