"""Server-sent events (WHATWG HTML, section 9.2) as bytes: rendered for clients, parsed as upstreams send them."""

from __future__ import annotations

DONE = b"[DONE]"
HEARTBEAT = b": heartbeat\n\n"
MAX_EVENT_BYTES = 4_000_000


def render_event(data: bytes) -> bytes:
    """Return one event; ``data`` must not contain a line break."""
    return b"data: " + data + b"\n\n"


class EventParser:
    """Parses events from bytes that arrive in pieces of any size; fields other than ``data`` are skipped.

    An event without its final blank line is never returned, as the standard says.
    """

    def __init__(self) -> None:
        self._rest = b""
        self._data: list[bytes] = []

    def feed(self, piece: bytes) -> list[bytes]:
        """Return the data of each event that ``piece`` completes.

        Raises ``ValueError`` when the event that the pieces before began is longer than ``MAX_EVENT_BYTES``.
        """
        if len(self._rest) + sum(map(len, self._data)) > MAX_EVENT_BYTES:
            raise ValueError("an event without an end")
        *lines, self._rest = (self._rest + piece).split(b"\n")
        found: list[bytes] = []
        for line in lines:
            line = line.removesuffix(b"\r")
            if line.startswith(b"data:"):
                self._data.append(line[5:].removeprefix(b" "))
            elif not line and self._data:
                found.append(b"\n".join(self._data))
                self._data = []
        return found
