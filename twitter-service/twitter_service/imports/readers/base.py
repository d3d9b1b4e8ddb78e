"""What every reader of a file format has in common."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, Literal, Protocol, Self

import msgspec

from twitter_service.tweets.model import NewTweet, Rejection

Format = Literal["csv", "jsonl"]
BOM = b"\xef\xbb\xbf"
"""Byte-order mark of UTF-8."""


@dataclass
class Recognised:
    """What was recognised of an upload on its way to the reader."""

    notes: list[str] = field(default_factory=list)
    """Sentences for the sender."""
    is_sheet: bool = False
    """True for the rows of a spreadsheet: every record is a row of it, however many lines its texts have."""


def before_cut(error: UnicodeDecodeError) -> str | None:
    """Return the text before a character that the end of a file cuts, U+FFFD in its place; None for another fault."""
    if error.reason != "unexpected end of data":
        return None
    return bytes(error.object[: error.start]).decode() + "\ufffd"


class Block(msgspec.Struct, frozen=True, array_like=True):
    """Whole lines of a JSON Lines file in UTF-8, not parsed yet; the first is physical line ``line``."""

    line: int
    data: bytes


Frame = NewTweet | Rejection | Block


class Reader(Protocol):
    """Turns the bytes of a file, which arrive in pieces, into tweets, rejections, or blocks that are parsed later."""

    rest: bytes
    """Bytes after the last complete line; a reader that resumes is given them again."""

    def read(self, data: bytes, *, final: bool) -> Iterator[Frame]:
        """Yield what ``data`` completes, and all that is left when ``final``; raises ``NotUtf8``."""

    def notes(self) -> list[str]:
        """Return what was recognised of the file so far, as sentences for the sender."""

    def state(self) -> dict[str, Any]:
        """Return as JSON values what a reader that resumes at ``rest`` has to know; bounded in size."""

    @classmethod
    def of_state(cls, state: dict[str, Any]) -> Self:
        """Return a reader that resumes where another was."""
