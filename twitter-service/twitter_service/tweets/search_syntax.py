"""What a full-text search may say: words, "phrases", AND, OR, NOT or a minus, and parentheses."""

from __future__ import annotations

import re
from dataclasses import dataclass

from castor_chassis import Invalid

_TOKEN = re.compile(r'\s*(?:"([^"]*)"|([()])|(-(?=[^\s\-]))|([^\s()"]+))')
_MAX_DEPTH = 20


@dataclass(frozen=True, slots=True)
class Words:
    """Words that must follow one another; often one."""

    text: str


@dataclass(frozen=True, slots=True)
class Combined:
    """Parts of which all (``AND``) or one (``OR``) must hold, or of which the only one must not (``NOT``)."""

    operator: str
    parts: tuple[Search, ...]


Search = Words | Combined


def parse_search(text: str) -> Search:
    """Return what ``text`` asks for: OR binds least, then AND, which may be left out, then NOT.

    AND and NOT are operators in capitals alone, OR in any. Raises ``Invalid`` for what cannot be read.
    """
    parser = _Parser(_tokens(text))
    found = parser.either(0)
    if parser.next is not None:
        raise _wrong("a closing parenthesis has no opening one")
    return found


def _wrong(problem: str) -> Invalid:
    return Invalid(field="query.q", reason=f'query.q: {problem}; it takes words, "phrases", AND, OR, NOT and (...)')


def _tokens(text: str) -> list[str | Words]:
    """Return operators and parentheses as strings, everything else as ``Words``."""
    if text.count('"') % 2:
        raise _wrong("a quotation mark is not closed")
    return [_token(*match.groups(default="")) for match in _TOKEN.finditer(text)]


def _token(phrase: str, parenthesis: str, minus: str, word: str) -> str | Words:
    if parenthesis or minus:
        return parenthesis or "NOT"
    operator = "OR" if word.upper() == "OR" else word
    if operator in ("AND", "OR", "NOT"):
        return operator
    if word.endswith("*"):
        raise _wrong(f"'{word}' has a star, which is not known; endings do not matter anyhow")
    return Words(phrase or word)


class _Parser:
    """Reads tokens from left to right."""

    def __init__(self, tokens: list[str | Words]) -> None:
        self._tokens = tokens
        self._at = 0

    @property
    def next(self) -> str | Words | None:
        return self._tokens[self._at] if self._at < len(self._tokens) else None

    def _take(self, *wanted: str) -> bool:
        found = self.next in wanted
        self._at += found
        return found

    def either(self, depth: int) -> Search:
        parts = [self._all(depth)]
        while self._take("OR"):
            parts.append(self._all(depth))
        return parts[0] if len(parts) == 1 else Combined("OR", tuple(parts))

    def _all(self, depth: int) -> Search:
        parts = [self._one(depth)]
        while self._take("AND") or self.next not in (None, "OR", ")"):
            parts.append(self._one(depth))
        return parts[0] if len(parts) == 1 else Combined("AND", tuple(parts))

    def _one(self, depth: int) -> Search:
        if depth > _MAX_DEPTH:
            raise _wrong(f"it is nested deeper than {_MAX_DEPTH} levels")
        if self._take("NOT"):
            return Combined("NOT", (self._one(depth + 1),))
        if self._take("("):
            inner = self.either(depth + 1)
            if not self._take(")"):
                raise _wrong("a parenthesis is not closed")
            return inner
        token = self.next
        if not isinstance(token, Words):
            raise _wrong(f"words are missing {f'before {token}' if token else 'at the end'}")
        self._at += 1
        return token
