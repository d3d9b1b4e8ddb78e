"""The characters of an upload, as UTF-8 whatever the file is in."""

from __future__ import annotations

import codecs
import re
from collections.abc import AsyncIterator, Iterator
from typing import Literal

from twitter_service.errors import NotUtf16
from twitter_service.imports.readers.base import Recognised

Encoding = Literal["utf-8", "utf-16", "windows-1252"]
_LONE = re.compile("[\ud800-\udfff]")
"""Half of a pair: what is left of an emoji that a program cut."""
LONGEST_LINE = 1 << 20
"""Bytes of a line that are judged together; of a longer one each part is."""
_UTF16 = (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)


async def as_utf8(
    pieces: AsyncIterator[bytes], encoding: Encoding | None, recognised: Recognised
) -> AsyncIterator[bytes]:
    """Yield a file in UTF-8. UTF-16 is recognised by its byte-order mark; UTF-8 passes as it is.

    Of a file in Windows-1252 the lines that are UTF-8 stay as they are, because files put together from several
    sources hold both. Raises ``NotUtf16``.
    """
    start = b""
    async for piece in pieces:
        start += piece
        if len(start) > 1:
            break
    is_utf16 = encoding == "utf-16" or (encoding is None and start.startswith(_UTF16))
    decoder = _Utf16(start) if is_utf16 else _Windows1252() if encoding == "windows-1252" else None
    for part in decoder.feed(start) if decoder else (start,):
        yield part
    async for piece in pieces:
        for part in decoder.feed(piece) if decoder else (piece,):
            yield part
    for part in decoder.finish() if decoder else ():
        yield part
    if decoder and (note := decoder.note()):
        recognised.notes.append(note)


class _Utf16:
    def note(self) -> str:
        return "the characters are UTF-16"

    def __init__(self, start: bytes) -> None:
        # Without a byte-order mark the order is that of Windows.
        name = "utf-16" if start.startswith(_UTF16) else "utf-16-le"
        self._decoder = codecs.getincrementaldecoder(name)("surrogatepass")

    def feed(self, data: bytes, *, final: bool = False) -> Iterator[bytes]:
        try:
            yield _LONE.sub("\ufffd", self._decoder.decode(data, final)).encode()
        except UnicodeError as error:
            raise NotUtf16 from error

    def finish(self) -> Iterator[bytes]:
        return self.feed(b"", final=True)


class _Windows1252:
    def __init__(self) -> None:
        self._rest = b""
        self._converted = 0

    def note(self) -> str:
        return f"{self._converted} lines that are not UTF-8 were read as Windows-1252"

    def feed(self, data: bytes) -> Iterator[bytes]:
        *lines, self._rest = (self._rest + data).split(b"\n")
        yield b"".join(self._utf8(line) + b"\n" for line in lines)
        if len(self._rest) > LONGEST_LINE:
            yield self._part()

    def _part(self) -> bytes:
        """Return the beginning of a line that is too long to be held, without a character of UTF-8 that is cut."""
        try:
            _, end = codecs.utf_8_decode(self._rest, "strict", False)
        except UnicodeDecodeError:
            end = len(self._rest)
        part, self._rest = self._rest[:end], self._rest[end:]
        return self._utf8(part)

    def finish(self) -> Iterator[bytes]:
        yield self._utf8(self._rest)

    def _utf8(self, line: bytes) -> bytes:
        try:
            line.decode()
        except UnicodeDecodeError:
            self._converted += 1
            return line.decode("cp1252", errors="replace").encode()
        return line
