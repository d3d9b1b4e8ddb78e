"""The body of an upload, whose sender may go away: a file as it is, or the file in a form."""

from __future__ import annotations

from collections.abc import AsyncIterator
from types import MappingProxyType

from fastapi import Request
from python_multipart.exceptions import FormParserError
from python_multipart.multipart import MultipartParser, parse_options_header
from starlette.requests import ClientDisconnect

from twitter_service.errors import BadForm, UnsupportedFile, UploadBroken

FORM = "multipart/form-data"
FILE = MappingProxyType({"schema": {"type": "string", "format": "binary"}})
FORM_SCHEMA = MappingProxyType(
    {"schema": {"type": "object", "required": ["file"], "properties": {"file": {"type": "string", "format": "binary"}}}}
)
XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
DOCUMENTED = (
    "application/octet-stream", "text/csv", "text/tab-separated-values", "application/x-ndjson", "application/json",
    "application/gzip", "application/zip", XLSX,
)  # fmt: skip
# What curl sends where nothing is said, what Windows says of a CSV, and other names of the same.
_ALSO_TAKEN = frozenset(
    ("", "application/x-www-form-urlencoded", "application/vnd.ms-excel", "text/plain", "application/csv",
     "application/jsonl", "application/jsonlines", "application/x-jsonlines", "application/x-gzip",
     "application/x-zip-compressed", "application/vnd.sqlite3", "application/x-sqlite3")
)  # fmt: skip


class Upload:
    """The file of a request. ``filename`` is that of a form, once ``open`` has returned."""

    def __init__(self, request: Request) -> None:
        self.filename: str | None = None
        header = request.headers.get("content-type", "")
        media_type, options = parse_options_header(header)
        self._form = None
        if media_type == FORM.encode():
            self._form = _Form(options.get(b"boundary", b""))
        elif media_type.decode("latin-1") not in (*DOCUMENTED, *_ALSO_TAKEN):
            raise UnsupportedFile(content_type=header[:100])
        self._pieces = _received(request)
        self._first = b""

    async def open(self) -> None:
        """Read as far as the beginning of the file; raises ``BadForm`` or ``UploadBroken``."""
        if self._form:
            async for piece in self._pieces:
                self._first += self._form.feed(piece)
                if self._form.has_begun:
                    break
            self.filename = self._form.filename

    async def pieces(self) -> AsyncIterator[bytes]:
        """Yield the bytes of the file as they come; raises ``BadForm`` or ``UploadBroken``."""
        if self._first:
            yield self._first
        async for piece in self._pieces:
            if part := self._form.feed(piece) if self._form else piece:
                yield part
        if self._form:
            self._form.finish()


async def _received(request: Request) -> AsyncIterator[bytes]:
    try:
        async for piece in request.stream():
            yield piece
    except ClientDisconnect as error:
        raise UploadBroken from error


class _Form:
    """Takes the one file out of a form while it arrives; nothing of it is kept."""

    def __init__(self, boundary: bytes) -> None:
        if not boundary:
            raise BadForm(what="has no boundary in its Content-Type")
        self.filename: str | None = None
        self.has_begun = False
        self._has_ended = False
        self._name, self._value = b"", b""
        self._data: list[bytes] = []
        self._parser = MultipartParser(
            boundary,
            {
                "on_part_begin": self._on_part_begin,
                "on_header_field": self._on_header_field,
                "on_header_value": self._on_header_value,
                "on_header_end": self._on_header_end,
                "on_headers_finished": self._on_headers_finished,
                "on_part_data": lambda data, start, end: self._data.append(data[start:end]),
                "on_end": self._on_end,
            },
        )
        self._disposition = b""

    def feed(self, data: bytes) -> bytes:
        """Return the bytes of the file in the next bytes of the body; raises ``BadForm``."""
        try:
            self._parser.write(data)
        except FormParserError as error:
            raise BadForm(what=f"cannot be read ({error})"[:200]) from error
        found, self._data = b"".join(self._data), []
        return found

    def finish(self) -> None:
        """Raise ``BadForm`` unless the form held one file and is whole."""
        if not self.has_begun:
            raise BadForm(what="holds no file")
        if not self._has_ended:
            raise BadForm(what="breaks off")

    def _on_part_begin(self) -> None:
        if self.has_begun:
            raise BadForm(what="holds something behind the file")
        self._disposition = b""

    def _on_header_field(self, data: bytes, start: int, end: int) -> None:
        self._name += data[start:end]

    def _on_header_value(self, data: bytes, start: int, end: int) -> None:
        self._value += data[start:end]

    def _on_header_end(self) -> None:
        if self._name.lower() == b"content-disposition":
            self._disposition = self._value
        self._name, self._value = b"", b""

    def _on_headers_finished(self) -> None:
        _, options = parse_options_header(self._disposition)
        if b"filename" not in options:
            field = options.get(b"name", b"").decode(errors="replace")[:50]
            raise BadForm(what=f"holds the field {field!r} beside the file")
        self.filename = options[b"filename"].decode(errors="replace").replace("\x00", "")[:255] or None
        self.has_begun = True

    def _on_end(self) -> None:
        self._has_ended = True
