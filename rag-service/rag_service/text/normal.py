"""One form of a text for the index and for queries.

``searchable`` undoes what changes how a word is written and not which word it is. Stored texts stay as they came.
"""

from __future__ import annotations

import html
import re
import unicodedata

from castor_chassis import normal_form, normalise

_ESCAPE = re.compile(r"&(?:#\d{1,7}|#x[0-9a-f]{1,6}|[a-z]{2,8});", re.IGNORECASE)
# A word that is broken at the end of a line goes on in lower case: "hospi-" and "tales".
_BROKEN_WORD = re.compile("(?<=\\w)[-\u2010\u00ad][^\\S\\n]*+\\n\\s*+(?=[a-záéíóúüñ])")
_JOINERS = re.compile("[\u200c\u200d\ufe0e\ufe0f]")
_SMALL_CAPITALS = {
    ord(unicodedata.lookup(f"LATIN LETTER SMALL CAPITAL {letter}")): letter.lower()
    for letter in "ABCDEGHIJKLMNOPRTUVWYZ"
}
# White letters on a disc or square are the styles that compatibility decomposition leaves as they are.
_ON_DISC_OR_SQUARE = {start + place: chr(ord("A") + place) for start in (0x1F150, 0x1F170) for place in range(26)}
_STYLED = _SMALL_CAPITALS | _ON_DISC_OR_SQUARE


def searchable(text: str) -> str:
    """Return ``text`` as it is indexed, embedded and searched.

    HTML escapes are undone ("&amp;amp;" too), words broken at the end of a line are joined, soft hyphens and
    characters without width are dropped, styled letters and ligatures become plain ones, all in NFC.
    """
    if text.isascii() and "&" not in text and "-" not in text:
        return text
    whole = _BROKEN_WORD.sub("", unescape(text))
    plain = _JOINERS.sub("", normalise(whole)).translate(_STYLED)
    return normal_form("NFKC", plain)


def unescape(text: str) -> str:
    """Return ``text`` without HTML escapes, which exports of tweets hold, some of them escaped twice."""
    if "&" not in text:
        return text
    return _ESCAPE.sub(_character, _ESCAPE.sub(_character, text))


def plain_letter(letter: str) -> str:
    """Return the letters that a styled letter or a ligature stands for; anything else, digits too, as it is."""
    plain = normal_form("NFKC", letter.translate(_STYLED))
    return plain if plain.isalpha() else letter


def _character(match: re.Match[str]) -> str:
    return html.unescape(match.group())
