"""JSON Lines that arrives in pieces, cut into blocks of whole lines. The lines are parsed later."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from twitter_service.errors import NotUtf8
from twitter_service.imports.readers.base import BOM, Block, before_cut
from twitter_service.tweets.model import Rejection

MAX_LINE = 16_000_000
"""Bytes of a JSON line; a twarc page of 500 tweets has about two million."""


class JsonLinesReader:
    """One JSON value a line: a tweet, a twarc page ``{"data": [...], "includes": ...}``, or a list of tweets."""

    def __init__(self, line: int = 1) -> None:
        self.line = line
        self.rest = b""
        self._drops_rest = False

    def notes(self) -> list[str]:
        """See ``Reader``."""
        return []

    def state(self) -> dict[str, Any]:
        """See ``Reader``."""
        return {"line": self.line, "drops_rest": self._drops_rest}

    @classmethod
    def of_state(cls, state: dict[str, Any]) -> JsonLinesReader:
        """See ``Reader``."""
        reader = cls(state["line"])
        reader._drops_rest = state["drops_rest"]
        return reader

    def read(self, data: bytes, *, final: bool) -> Iterator[Rejection | Block]:
        """See ``Reader``; raises ``NotUtf8``."""
        lines = (self.rest + data).splitlines(keepends=True)
        # A carriage return at the end may be the first half of a line end.
        self.rest = b"" if final or not lines or lines[-1].endswith(b"\n") else lines.pop()
        if lines and self._drops_rest:
            del lines[0]
            self._drops_rest = False
            self.line += 1
        if lines:
            yield self._block(lines)
            self.line += len(lines)
        if len(self.rest) > MAX_LINE:
            yield Rejection(self.line, f"the line is longer than {MAX_LINE} bytes")
            self._drops_rest = True
        if self._drops_rest:
            self.rest = b""

    def _block(self, lines: list[bytes]) -> Block:
        if self.line == 1 and (start := lines[0].lstrip()).startswith(BOM):
            lines[0] = start.removeprefix(BOM)
        data = b"".join(lines)
        try:
            data.decode()
        except UnicodeDecodeError as error:
            if (text := before_cut(error)) is not None:
                return Block(self.line, text.encode())
            good = data[: error.start] + b"?"
            raise NotUtf8(line=self.line + len(good.splitlines()) - 1) from error
        return Block(self.line, data)
