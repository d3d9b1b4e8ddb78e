"""Spanish text in one form: ``normalise`` for what is kept and shown, ``fold`` for what is compared.

Both give equal results for composed (NFC) and decomposed (NFD) input: "é" and "e" with an accent are one letter.
"""

from __future__ import annotations

import html
import re
import unicodedata
from itertools import pairwise
from typing import Literal

_CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u2028\u2029]")
# Zero width, soft hyphen, byte-order mark, direction marks, tags. The joiners U+200C and U+200D stay: emoji need them.
_INVISIBLE = re.compile(
    "[\u00ad\u061c\u180e\u200b\u200e\u200f\u202a-\u202e\u2060-\u206f\ufeff\ufff9-\ufffb\U000e0000-\U000e007f]"
)
_SURROGATE = re.compile("[\ud800-\udfff]")
_ACCENTS = re.compile("[\u0300-\u036f]+")
_ACCENTS_BUT_ENYE = re.compile("(?<!n)\u0303+|[\u0300-\u0302\u0304-\u036f]+")
_LATIN = re.compile("[\x00-\xff]*")
_BASE = str.maketrans("àáâãäåçèéêëìíîïñòóôõöùúûüýÿ", "aaaaaaceeeeiiiinooooouuuuyy")
_BASE_BUT_ENYE = {code: base for code, base in _BASE.items() if code != ord("ñ")}
# Signs of Latin-1 that compatibility decomposition or case folding turn into something else.
_SPECIAL = re.compile("[\xa0¨ª¯²³´µ¸¹º¼½¾ß]")
# No mark stands before U+0300: a text without so many signs in a row from there on is not looked at any further.
_MAY_BE_MARKS = re.compile("[\u0300-\U0010ffff][\u0300-\U0010ffff]{30}")
_MANY_MARKS = re.compile(rb"[^\0]{30}(?=[^\0])")
# Of these each is two marks, and no composition makes them one again.
_PAIRS = str.maketrans(
    {"\u0344": "\u0308\u0301", "\u0f73": "\u0f71\u0f72", "\u0f75": "\u0f71\u0f74", "\u0f81": "\u0f71\u0f80"}
)
# And these are marks in compatibility forms alone.
_LATE_MARKS = re.compile("[\uff9e\uff9f]")


def normal_form(form: Literal["NFC", "NFD", "NFKC", "NFKD"], text: str) -> str:
    """Return ``text`` in a normal form of Unicode; the time grows with its length, whatever it holds.

    Between every 30 marks on one letter stands U+034F then, which cannot be seen (Stream-Safe Text Process, UAX #15
    section 13): Python sorts the marks of a letter in a time that grows with the square of their number.
    """
    if _MAY_BE_MARKS.search(text):
        text = text.translate(_PAIRS)
        classes = bytes(map(unicodedata.combining, _LATE_MARKS.sub("\u0301", text)))
        ends = [match.end() for match in _MANY_MARKS.finditer(classes)]
        text = "\u034f".join(text[start:end] for start, end in pairwise([0, *ends, len(text)]))
    return unicodedata.normalize(form, text)


def normalise(text: str) -> str:
    """Return ``text`` in NFC without what cannot be seen.

    Control characters but tab and line feed become a space, as do the separators U+2028 and U+2029; zero-width
    characters, soft hyphens, direction marks and tags are dropped; a lone surrogate becomes U+FFFD. Case, accents,
    emoji and white space stay as they are.
    """
    if text.isascii() and text.isprintable():
        return text
    visible = _INVISIBLE.sub("", _CONTROL.sub(" ", _SURROGATE.sub("\ufffd", text)))
    return normal_form("NFC", visible)


def unescape(text: str) -> str:
    """Return ``text`` with HTML references as characters; numbers of many digits, which ``html`` raises at, stay."""
    return html.unescape(re.sub(r"&#(?=\d{9})", "&amp;#", text)) if "&" in text else text


def fold(text: str, *, keep_enye: bool = True) -> str:
    """Return ``text`` without case, accents and compatibility forms ("Ａ" is "a"); folding twice changes nothing.

    ``ñ`` stays a letter of its own, so that "año" and "ano" differ. With ``keep_enye=False`` it is an ``n``: for
    search and names, where people without the key write "Penalosa" for "Peñalosa".
    """
    if text.isascii():
        return text.lower()
    if _LATIN.fullmatch(text) and not _SPECIAL.search(text):
        return text.lower().translate(_BASE_BUT_ENYE if keep_enye else _BASE)
    spread = normal_form("NFKD", normal_form("NFKD", text).casefold())
    if not keep_enye:
        return _ACCENTS.sub("", spread)
    return _ACCENTS_BUT_ENYE.sub("", spread).replace("n\u0303", "ñ")
