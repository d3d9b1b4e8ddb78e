"""Finds quotes in a text, word for word.

A quote may differ from the text in Unicode composition (NFC) and in white space, in nothing else.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Iterator

MINIMUM_QUOTE_CHARACTERS = 8
"""A shorter quote proves nothing, unless it is the whole text."""


class VerbatimText:
    """A text prepared once for many look-ups."""

    def __init__(self, text: str) -> None:
        self.text = text
        letters: list[str] = []
        spans: list[tuple[int, int]] = []
        for start, end, unit in _units(text):
            if not unit.isspace():
                letters += unit
                spans += [(start, end)] * len(unit)
            elif letters and letters[-1] == " ":
                spans[-1] = (spans[-1][0], end)
            else:
                letters.append(" ")
                spans.append((start, end))
        self._flat = "".join(letters)
        self._spans = spans

    def find(self, quote: str) -> tuple[int, int] | None:
        """Return (start, end) of ``quote`` in the text, or None when it does not stand there as whole words."""
        needle = _flat(quote)
        if len(needle) < MINIMUM_QUOTE_CHARACTERS and needle != self._flat.strip():
            return None
        place = self._flat.find(needle) if needle else -1
        while place >= 0:
            after = place + len(needle)
            if not self._cuts_word(place) and not self._cuts_word(after):
                return self._spans[place][0], self._spans[after - 1][1]
            place = self._flat.find(needle, place + 1)
        return None

    def _cuts_word(self, place: int) -> bool:
        return 0 < place < len(self._flat) and self._flat[place - 1].isalnum() and self._flat[place].isalnum()


def _flat(quote: str) -> str:
    return " ".join(unicodedata.normalize("NFC", quote).split())


def _units(text: str) -> Iterator[tuple[int, int, str]]:
    """Yield (start, end, NFC form) of the smallest parts of ``text`` that compose independently."""
    if unicodedata.is_normalized("NFC", text):
        yield from ((place, place + 1, letter) for place, letter in enumerate(text))
        return
    start = 0
    for place in range(1, len(text) + 1):
        part = text[start:place]
        if place == len(text) or _starts_new_unit(part, text[place]):
            yield start, place, unicodedata.normalize("NFC", part)
            start = place


def _starts_new_unit(part: str, letter: str) -> bool:
    if unicodedata.combining(letter):
        return False
    apart = unicodedata.normalize("NFC", part) + unicodedata.normalize("NFC", letter)
    return unicodedata.normalize("NFC", part + letter) == apart
