"""JSON whose values reach over several lines, as ``json.dump(indent=...)`` and ``jq`` write it.

A list is read object by object, other values one after the other; each becomes a line of JSON Lines.
"""

from __future__ import annotations

import codecs
import json
import re
from collections.abc import Iterator
from typing import Any

from twitter_service.errors import NotUtf8
from twitter_service.imports.json_salvage import BROKEN, next_tweet, of_broken, value_at
from twitter_service.imports.readers.base import BOM, Block, before_cut
from twitter_service.tweets.model import Rejection

MAX_VALUE = 16_000_000
"""Characters of one value; a longer one is rejected."""
_OPENER = re.compile(rb'[\[{\s]*(?:"[^"\\]*"\s*:\s*[\[{]?)?\s*')
_BETWEEN = re.compile(r"[\s,\[\]]*")
_PAGE = re.compile(r'\{\s*"(?:data|results|statuses|includes|meta)"\s*:')
_LINE_END = re.compile(r"[\r\n]+")
_CUT_CHARACTERS = 16
"""A parser stops this close to the end of a text where a literal or an escape is cut."""
_decoder = json.JSONDecoder(strict=False)


def is_document(start: bytes) -> bool:
    """True where the first value of a file, which begins with a bracket, does not end on its first line."""
    first, newline, _ = start.partition(b"\n")
    if not newline:
        return False
    if _OPENER.fullmatch(first):
        return True
    text = start.decode(errors="replace")
    length = len(first.decode(errors="replace"))
    if value_at(text[:length], 0):
        return False
    whole = value_at(text, 0)
    return first[:1] == b"[" or (whole is not None and whole[1] > length)


class JsonDocumentReader:
    """Values that may reach over several lines."""

    def __init__(self, line: int = 1, skips: bool = False) -> None:
        self.line = line
        self.rest = b""
        self._skips = skips

    def notes(self) -> list[str]:
        """See ``Reader``."""
        return ["JSON whose values reach over several lines"]

    def state(self) -> dict[str, Any]:
        """See ``Reader``."""
        return {"document": True, "line": self.line, "skips": self._skips}

    @classmethod
    def of_state(cls, state: dict[str, Any]) -> JsonDocumentReader:
        """See ``Reader``."""
        return cls(state["line"], state["skips"])

    def read(self, data: bytes, *, final: bool) -> Iterator[Rejection | Block]:
        """See ``Reader``; raises ``NotUtf8``."""
        buffer = self.rest + data
        if self.line == 1:
            buffer = buffer.removeprefix(BOM)
        text = self._decoded(buffer, final=final)
        at = 0
        while at < len(text):
            at = self._between(text, at)
            found = None if self._skips or at == len(text) else value_at(text, at)
            if found:
                yield from self._value(text, at, found[1])
                at = found[1]
            elif at < len(text):
                if not final and not self._skips and len(text) - at < MAX_VALUE and _may_go_on(text, at):
                    break
                following = len(text) if _PAGE.match(text, at) else next_tweet(text, at)
                yield from self._broken(text, at, following)
                at = len(text) if following is None else following
        self.rest = buffer[len(text[:at].encode()) :]

    def _decoded(self, buffer: bytes, *, final: bool) -> str:
        try:
            return codecs.utf_8_decode(buffer, "strict", final)[0]
        except UnicodeDecodeError as error:
            if (text := before_cut(error)) is not None:
                return text
            raise NotUtf8(line=self.line + buffer.count(b"\n", 0, error.start)) from error

    def _between(self, text: str, at: int) -> int:
        match = _BETWEEN.match(text, at)
        end = match.end() if match and not self._skips else at
        self.line += text.count("\n", at, end)
        return end

    def _value(self, text: str, start: int, end: int) -> Iterator[Block]:
        yield Block(self.line, _LINE_END.sub(" ", text[start:end]).encode())
        self.line += text.count("\n", start, end)

    def _broken(self, text: str, start: int, following: int | None) -> Iterator[Rejection | Block]:
        """Yield what can be read of the text before the next whole object; none: all that is left is skipped."""
        end = len(text) if following is None else following
        if _PAGE.match(text, start):
            yield from self._value(text, start, end)
            return
        for item in of_broken(text[start:end]) if not self._skips else ():
            if item is BROKEN:
                yield Rejection(self.line, "it is not JSON; of several lines the first is named")
            else:
                yield Block(self.line, json.dumps(item).encode())
        self.line += text.count("\n", start, end)
        self._skips = following is None


def _may_go_on(text: str, at: int) -> bool:
    """True where the value at ``at`` may be whole once more of the file has come."""
    if _PAGE.match(text, at):
        return True
    try:
        _decoder.raw_decode(text, at)
    except json.JSONDecodeError as error:
        return error.msg.startswith("Unterminated") or error.pos >= len(text) - _CUT_CHARACTERS
    except RecursionError:
        return False
    return True
