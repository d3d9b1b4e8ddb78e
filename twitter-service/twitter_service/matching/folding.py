"""Forms of text for matching: those of ``normal_form("NFC", text)`` and ``fold(text, keep_enye=False)`` of the chassis.

They are written here again because the process that parses imports loads this module and must stay small: loading the
chassis takes 95 MiB where the whole parser takes 15. A test holds the two equal.
"""

from __future__ import annotations

import re
import unicodedata
from itertools import pairwise
from typing import Literal

_ACCENTS = re.compile("[\u0300-\u036f]+")
# No mark stands before U+0300: a text without so many signs in a row from there on is not looked at any further.
_MAY_BE_MARKS = re.compile("[\u0300-\U0010ffff][\u0300-\U0010ffff]{30}")
_MANY_MARKS = re.compile(rb"[^\0]{30}(?=[^\0])")
# Of these each is two marks, and no composition makes them one again.
_PAIRS = str.maketrans(
    {"\u0344": "\u0308\u0301", "\u0f73": "\u0f71\u0f72", "\u0f75": "\u0f71\u0f74", "\u0f81": "\u0f71\u0f80"}
)
# And these are marks in compatibility forms alone.
_LATE_MARKS = re.compile("[\uff9e\uff9f]")


def composed(text: str) -> str:
    """Return ``text`` in NFC, with U+034F between every 30 marks on one letter."""
    return _normal_form("NFC", text)


def fold(text: str) -> str:
    """Return ``text`` without case, accents and compatibility forms; an ñ is an n, in NFC and in NFD."""
    if text.isascii():
        return text.lower()
    return _ACCENTS.sub("", _normal_form("NFKD", _normal_form("NFKD", text).casefold()))


def _normal_form(form: Literal["NFC", "NFKD"], text: str) -> str:
    if _MAY_BE_MARKS.search(text):
        text = text.translate(_PAIRS)
        classes = bytes(map(unicodedata.combining, _LATE_MARKS.sub("\u0301", text)))
        ends = [match.end() for match in _MANY_MARKS.finditer(classes)]
        text = "\u034f".join(text[start:end] for start, end in pairwise([0, *ends, len(text)]))
    return unicodedata.normalize(form, text)
