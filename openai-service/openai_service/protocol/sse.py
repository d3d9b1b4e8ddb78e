"""Server-sent events as bytes: taken apart as they arrive, and put together."""

from __future__ import annotations

from collections.abc import AsyncIterator

DONE = b"[DONE]"
HEARTBEAT = b": heartbeat\n\n"
MAX_EVENT_BYTES = 4_000_000


def event(data: bytes) -> bytes:
    """Return one event; ``data`` must have no line break."""
    return b"data: " + data + b"\n\n"


async def events(pieces: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
    """Yield the data of each event (WHATWG HTML, 9.2), however the bytes were cut; other fields are skipped.

    An event that the end of the bytes cuts is dropped, as the standard says. Raises ``ValueError`` for an event
    that is larger than any chunk can be.
    """
    rest = b""
    data: list[bytes] = []
    async for piece in pieces:
        *lines, rest = (rest + piece).split(b"\n")
        for line in lines:
            line = line.removesuffix(b"\r")
            if line.startswith(b"data:"):
                data.append(line[5:].removeprefix(b" "))
            elif not line and data:
                yield b"\n".join(data)
                data = []
        if len(rest) + sum(map(len, data)) > MAX_EVENT_BYTES:
            raise ValueError("an event without an end")
