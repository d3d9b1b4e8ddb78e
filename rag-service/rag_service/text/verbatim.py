"""Finds quotes in a text, word for word.

A quote may differ from the text in Unicode composition, white space, characters without width, HTML escapes and the
style of letters, in nothing else. It never begins or ends inside a word, a number with its unit, a URL or an emoji,
and never leaves out a negation of its own clause.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator

from castor_chassis import fold, normal_form, normalise
from rag_service.text.normal import plain_letter, unescape

MINIMUM_QUOTE_CHARACTERS = 8
"""A shorter quote proves nothing, unless it is the whole text."""
_ESCAPE = re.compile(r"&(?:#\d{1,7}|#x[0-9a-fA-F]{1,6}|[A-Za-z]{2,8});")
# What no quote may cut, in this order: addresses, numbers with sign, unit and multiplier, words, flags and emoji.
_UNCUT = re.compile(
    r"https?://\S+|[\w.+-]{1,64}@[\w-]+\.[\w.]+|[@#]\w+"
    r"|[$€]? ?[-+−]?\d+(?:[.,:/'’-]\d+|(?: \d{3})+(?!\d))*"
    r"(?:\s?[%‰°]|\s(?:por ciento|mil|millón|millones|billón|billones)\b)*"
    r"(?:\sde\s(?:pesos|millones)\b)?"
    r"|\w+(?:[-'’_]\w+)*|[\U0001F1E6-\U0001F1FF]{2}"
    r"|[^\w\s](?:[\u200d\ufe0f\U0001F3FB-\U0001F3FF\u0300-\u036f]+[^\w\s\u200d]?)+",
    re.IGNORECASE,
)
_CLAUSE_END = re.compile(r"[.,](?!\d)|[;:!?…\n¡¿()]|\b(?:pero|sino|aunque)\b")
_NEGATION_BEFORE = frozenset(
    re.findall(
        r"\w+",
        "no ni nunca jamas tampoco sin nadie ningun ninguna ninguno nada "
        "falso falsa mentira desmiento desmiente niego niega nego rechazo rechaza",
    )
)
_NEGATION_AFTER = frozenset({"nunca", "jamas", "tampoco", "nadie"})
_WORD = re.compile(r"\w+")


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
        self._inside = {
            place for match in _UNCUT.finditer(self._flat) for place in range(match.start() + 1, match.end())
        }

    def find(self, quote: str) -> tuple[int, int] | None:
        """Return (start, end) of ``quote`` in the text, or None when it does not stand there as whole words."""
        needle = _flat(quote)
        if len(needle) < MINIMUM_QUOTE_CHARACTERS and needle != self._flat.strip():
            return None
        place = self._flat.find(needle) if needle else -1
        while place >= 0:
            after = place + len(needle)
            if self._is_whole(place, after):
                return self._spans[place][0], self._spans[after - 1][1]
            place = self._flat.find(needle, place + 1)
        return None

    def _is_whole(self, start: int, end: int) -> bool:
        return start not in self._inside and end not in self._inside and not self._drops_negation(start, end)

    def _drops_negation(self, start: int, end: int) -> bool:
        before = _CLAUSE_END.split(self._flat[:start])[-1]
        after = _CLAUSE_END.split(self._flat[end:])[0]
        # A quote that ends with its clause leaves nothing of it out.
        ended = end == 0 or _CLAUSE_END.fullmatch(self._flat[end - 1]) is not None
        begun = _CLAUSE_END.match(self._flat[start : start + 1]) is not None
        return bool(
            (not begun and _words(before) & _NEGATION_BEFORE) or (not ended and _words(after) & _NEGATION_AFTER)
        )


def _words(text: str) -> set[str]:
    return set(_WORD.findall(fold(text, keep_enye=False)))


def _flat(quote: str) -> str:
    letters = "".join(unit for _, _, unit in _units(unescape(quote)))
    return " ".join(letters.split())


def _units(text: str) -> Iterator[tuple[int, int, str]]:
    """Yield (start, end, plain form) of the smallest parts of ``text`` that compose independently."""
    place = 0
    while place < len(text):
        escape = _ESCAPE.match(text, place) if text[place] == "&" else None
        end = escape.end() if escape else _unit_end(text, place)
        plain = unescape(escape.group()) if escape else normal_form("NFC", text[place:end])
        visible = plain if plain.isascii() else "".join(map(plain_letter, _visible(plain)))
        if visible:
            yield place, end, visible
        place = end


def _visible(unit: str) -> str:
    return unit if unit.isspace() else normalise(unit)


def _unit_end(text: str, start: int) -> int:
    end = start + 1
    # Space composes with nothing: which space it is does not matter, so a mark after it must stand apart.
    if text[start].isspace():
        return end
    while end < len(text) and not text[end].isascii() and not _starts_new_unit(text[start:end], text[end]):
        end += 1
    return end


def _starts_new_unit(part: str, letter: str) -> bool:
    if unicodedata.combining(letter):
        return False
    apart = normal_form("NFC", part) + normal_form("NFC", letter)
    return normal_form("NFC", part + letter) == apart
