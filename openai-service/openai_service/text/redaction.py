"""Redaction: e-mail addresses, telephone numbers, ids and card numbers become placeholders, and can be restored.

Every pattern is linear in the text: no two repetitions that match the same characters are adjacent. Names of people
are not redacted: that needs a model, which would be wrong too often to rely on.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from functools import lru_cache

from castor_chassis import normal_form

_CARD_DIGITS = range(13, 20)
_PHONE_DIGITS = range(7, 14)
_ID_DIGITS = range(6, 11)
_PLACEHOLDER = re.compile(r"\[(?:CORREO|TELEFONO|DOCUMENTO|TARJETA|USUARIO)_\d{1,6}\]")
LONGEST_PLACEHOLDER = len("[DOCUMENTO_123456]")

# The look-behind makes each address match from one place only. No control character is in one: an address is put back
# into JSON that a model wrote, where they would have to be escaped.
_EMAIL = re.compile(
    r"(?<![\w.+%-])[\w.+%-]{1,64}(?:@|[^\S\x00-\x1f]?\((?:at|arroba)\)[^\S\x00-\x1f]?| arroba )"
    r"[A-Za-z0-9-]{1,63}(?:\.[A-Za-z0-9-]{1,63}){1,8}(?![\w-])"
)
# Digits in groups, as people write numbers; their count and the words before them decide what they are.
_NUMBER = re.compile(r"(?<![\w.,$%-])\+?\(?\d(?:[ .()-]{0,2}\d){5,18}(?:-\d)?(?![\w%])")
_HANDLE = re.compile(r"(?<![\w@.])@\w{2,30}\b")
_ID_BEFORE = re.compile(
    r"(?:c[eé]dulas?|c\.? ?c\.?|nit|documentos?|identificaci[oó]n|pasaporte|ti|t\.i\.|rut|tarjeta de identidad)\W{0,12}"
    r"(?:n[uú]mero|no\.?|n[º°]|#|de ciudadan[ií]a|es|:)?\W{0,6}(?:n[uú]mero|no\.?|n[º°]|#|es|:)?\W{0,4}$",
    re.IGNORECASE,
)
_PHONE_BEFORE = re.compile(
    r"(?:tel[eé]fonos?|tel|cel|celular|m[oó]vil|whatsapp|wasap|ll[aá]m\w{1,8}|contacto|l[ií]nea)\W{0,4}(?:al?|es|:)?\W{0,4}$",
    re.IGNORECASE,
)
_BEFORE_CHARACTERS = 48
_MOBILE = re.compile(r"(?:\+?57)?3\d{9}")
_LANDLINE = re.compile(r"(?:\+?57)?60[1-8]\d{7}|01800\d{6,7}")


@dataclass(slots=True)
class Redaction:
    """The placeholders of one request and the values they replace; equal values get the same placeholder."""

    handles: bool = False
    taken: frozenset[str] = frozenset()
    """Placeholders that the caller's text contains already, and which are not used again."""
    values: dict[str, str] = field(default_factory=dict)
    _names: dict[tuple[str, str], str] = field(default_factory=dict)
    _counts: dict[str, int] = field(default_factory=dict)

    def redact(self, text: str) -> str:
        """Return ``text`` with placeholders for what must not leave the service."""
        pieces, end = [], 0
        for start, stop, kind in _found(text, self.handles):
            if start >= end:
                pieces += [text[end:start], self._placeholder(kind, text[start:stop])]
                end = stop
        return "".join([*pieces, text[end:]])

    def restore(self, text: str) -> str:
        """Return ``text`` with the original values in place of their placeholders."""
        if not self.values:
            return text
        return _PLACEHOLDER.sub(lambda match: self.values.get(match[0], match[0]), text)

    def _placeholder(self, kind: str, value: str) -> str:
        known = self._names.get((kind, value))
        while known is None:
            self._counts[kind] = self._counts.get(kind, 0) + 1
            name = f"[{kind}_{self._counts[kind]}]"
            if name not in self.taken:
                known = self._names[kind, value] = name
                self.values[name] = value
        return known


def placeholders_in(texts: Sequence[str]) -> frozenset[str]:
    """Return everything in ``texts`` that looks like a placeholder."""
    return frozenset(match for text in texts for match in _PLACEHOLDER.findall(text))


_LAST_PLAIN = 0x1FFFF
"""No digit, space, hyphen or full-width character has a higher number; above are ideographs and what is not text."""


@lru_cache
def plain_characters() -> dict[int, str]:
    """Return the ASCII forms of full-width characters, digits of any script, spaces and hyphens, one to one."""
    forms = ((code, _plain_form(chr(code))) for code in range(0x80, _LAST_PLAIN))
    return {code: form for code, form in forms if form is not None}


def _plain_form(char: str) -> str | None:
    category = unicodedata.category(char)
    if category == "Nd":
        return str(unicodedata.digit(char))
    if category == "Zs":
        return " "
    if category == "Pd":
        return "-"
    return normal_form("NFKC", char) if "\uff01" <= char <= "\uff5e" or char == "\ufe6b" else None


_INVISIBLE = re.compile("[\u00ad\u200b-\u200f\u2060-\u2064\ufeff]")


def _found(text: str, handles: bool) -> list[tuple[int, int, str]]:
    """Return start, end and kind of what must not leave, however its characters are written."""
    if text.isascii():
        return _found_in_plain(text, handles)
    plain = text.translate(plain_characters())
    if not _INVISIBLE.search(plain):
        return _found_in_plain(plain, handles)
    visible = [at for at, char in enumerate(plain) if not _INVISIBLE.match(char)]
    found = _found_in_plain(_INVISIBLE.sub("", plain), handles)
    return [(visible[start], visible[end - 1] + 1, kind) for start, end, kind in found]


def _found_in_plain(text: str, handles: bool) -> list[tuple[int, int, str]]:
    places = [(match.start(), match.end(), "CORREO") for match in _EMAIL.finditer(text)]
    places += _numbers(text)
    if handles:
        places += [(match.start(), match.end(), "USUARIO") for match in _HANDLE.finditer(text)]
    return sorted(places)


def _numbers(text: str) -> Iterator[tuple[int, int, str]]:
    for match in _NUMBER.finditer(text):
        kind = _kind(match[0], text[max(0, match.start() - _BEFORE_CHARACTERS) : match.start()])
        if kind is not None:
            yield match.start(), match.end(), kind


def _kind(written: str, before: str) -> str | None:
    digits = re.sub(r"[^\d+]", "", written)
    count = len(digits.removeprefix("+"))
    if count in _CARD_DIGITS and _luhn(digits.removeprefix("+")):
        return "TARJETA"
    if count in _ID_DIGITS and _ID_BEFORE.search(before):
        return "DOCUMENTO"
    if _MOBILE.fullmatch(digits) or _LANDLINE.fullmatch(digits):
        return "TELEFONO"
    if count in _PHONE_DIGITS and (digits.startswith("+") or _PHONE_BEFORE.search(before)):
        return "TELEFONO"
    # A NIT (Colombian tax id) is written 900123456-7, with or without a word before it.
    return "DOCUMENTO" if re.fullmatch(r"[89]\d{2}\.?\d{3}\.?\d{3} ?- ?\d", written) else None


def _luhn(digits: str) -> bool:
    """Return whether the check digit is right (Luhn algorithm, ISO/IEC 7812)."""
    total = 0
    for place, char in enumerate(reversed(digits)):
        value = int(char) * (2 if place % 2 else 1)
        total += value - 9 if value > 9 else value
    return total % 10 == 0


class StreamRestorer:
    """Restores placeholders in text that arrives in pieces; one that is still incomplete is held back."""

    def __init__(self, redaction: Redaction) -> None:
        self._redaction = redaction
        self._held = ""

    def feed(self, piece: str) -> str:
        """Return the restored text that is certain after ``piece``."""
        text = self._held + piece
        opened = text.rfind("[", max(0, len(text) - LONGEST_PLACEHOLDER))
        cut = opened if opened >= 0 and "]" not in text[opened:] else len(text)
        self._held = text[cut:]
        return self._redaction.restore(text[:cut])

    def rest(self) -> str:
        """Return what is still held back, at the end of the text."""
        held, self._held = self._held, ""
        return self._redaction.restore(held)
