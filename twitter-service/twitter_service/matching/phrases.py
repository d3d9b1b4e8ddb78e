"""Whole words and phrases in tweets, found without case and accents in one pass over the text.

A text is brought into a plain form first: folded, without links, handles (kept apart) and punctuation, its
words between single spaces. A phrase between spaces then stands on word boundaries wherever it is found, and
one Aho-Corasick automaton finds all phrases at a cost that does not grow with their number.
"""

from __future__ import annotations

import re
import string
from collections.abc import Iterable, Mapping
from typing import Generic, TypeVar

import msgspec
from ahocorasick_rs import AhoCorasick

from twitter_service.matching.folding import fold

_SIGNED = re.compile(r"https?://\S+|(?<!\w)([@#]\w+)")
_NOT_WORD = re.compile(r"[^\w|]+")
# Pictures, dashes and quotes: no letters, no digits, and none in any compatible form of theirs.
_PICTURES = re.compile(
    "[\u200b-\u200f\u2010-\u2016\u2018-\u201f\u2022\u2026\u2600-\u2775\u2794-\u27bf\ufe0f\U0001f1e6-\U0001f1ff"
    "\U0001f300-\U0001faff]"
)
_BREAK = " | "
_WORD_CHARACTERS = string.ascii_letters + string.digits + "_|"
_ASCII = bytes(code if chr(code) in _WORD_CHARACTERS else 32 for code in range(256))
_SIGN = ord(";")
"""Stands for a character that is neither part of a word nor blank."""
_UNUSUAL = b"\x00"

T = TypeVar("T")


def _folded_byte(code: int) -> int:
    folded = fold(chr(code)).replace("|", " ")
    if folded.isspace():
        return ord(" ")
    if len(folded) == 1 and folded.isascii() and code:
        return ord(folded)
    return _SIGN if code and not re.search(r"\w", folded) else _UNUSUAL[0]


# Most texts are in Latin-1 but for emoji and typographic signs. Folded by one ``bytes.translate`` they take less than
# half the time that ``fold`` takes, which is used for all others.
_LATIN = bytes(map(_folded_byte, range(256)))


class Words(msgspec.Struct, frozen=True, gc=False):
    """A text in its plain form, and the handles (with @) and hashtags (with #) in it."""

    plain: str
    signed: tuple[str, ...]


def words_of(text: str) -> Words:
    """Return the words of a text; a link or a handle ends a phrase, a hashtag is a word of it."""
    folded = _quickly_folded(text) or fold(text).replace("|", " ")
    if "@" not in folded and "#" not in folded and "http" not in folded:
        return Words(_plain(folded), ())
    signed: list[str] = []

    def replace(match: re.Match[str]) -> str:
        token: str | None = match[1]
        if token is None:
            return _BREAK
        signed.append(token)
        return _BREAK if token[0] == "@" else token[1:]

    return Words(_plain(_SIGNED.sub(replace, folded)), tuple(signed))


def _quickly_folded(text: str) -> str | None:
    """Return what ``fold`` returns, signs aside, of a text in the letters of western Europe; None of any other."""
    try:
        folded = text.encode("latin-1").translate(_LATIN)
    except UnicodeEncodeError:
        try:
            folded = _PICTURES.sub(";", text).encode("latin-1").translate(_LATIN)
        except UnicodeEncodeError:
            return None
    return None if _UNUSUAL in folded else folded.decode("ascii")


def phrase(term: str) -> str:
    """Return a term in the plain form; a single space where it holds no word."""
    return _plain(fold(term).replace("|", " "))


def _plain(folded: str) -> str:
    words = folded.encode().translate(_ASCII).decode() if folded.isascii() else _NOT_WORD.sub(" ", folded)
    return f" {' '.join(words.split())} "


class Phrases(Generic[T]):
    """Phrases and what each stands for; with ``longest``, a phrase hides those that lie within it."""

    def __init__(self, meanings: Mapping[str, Iterable[T]], *, longest: bool = False) -> None:
        merged: dict[str, set[T]] = {}
        for term, values in meanings.items():
            merged.setdefault(phrase(term), set()).update(values)
        merged.pop("  ", None)
        self._meanings = [frozenset(values) for values in merged.values()]
        self._automaton = AhoCorasick(list(merged)) if merged else None
        self._longest = longest

    def found_in(self, plain: str) -> set[T]:
        """Return what the phrases in a plain text stand for."""
        if self._automaton is None:
            return set()
        hits = self._automaton.find_matches_as_indexes(plain, overlapping=True)
        if not hits:
            return set()
        if self._longest and len(hits) > 1:
            hits = _outermost(hits)
        return {meaning for hit in hits for meaning in self._meanings[hit[0]]}


def _outermost(hits: list[tuple[int, int, int]]) -> list[tuple[int, int, int]]:
    kept: list[tuple[int, int, int]] = []
    for hit in sorted(hits, key=lambda hit: (hit[1], -hit[2])):
        if not kept or hit[2] > kept[-1][2]:
            kept.append(hit)
    return kept
