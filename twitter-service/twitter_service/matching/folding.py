"""Folding of text for matching: the same result as ``castor_chassis.fold(text, keep_enye=False)``.

It is written here again because the process that parses imports loads this module and must stay small: loading the
chassis takes 95 MiB where the whole parser takes 15. A test holds the two equal.
"""

from __future__ import annotations

import re
import unicodedata

_ACCENTS = re.compile("[\u0300-\u036f]+")


def fold(text: str) -> str:
    """Return ``text`` without case, accents and compatibility forms; an ñ is an n, in NFC and in NFD."""
    if text.isascii():
        return text.lower()
    return _ACCENTS.sub("", unicodedata.normalize("NFKD", unicodedata.normalize("NFKD", text).casefold()))
