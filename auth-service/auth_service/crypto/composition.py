"""The form of a password that is judged, hashed and compared."""

from __future__ import annotations

import unicodedata

from castor_chassis import normal_form


def composed(password: str) -> str:
    """Return a password as the profile OpaqueString prepares it (RFC 8265 section 4.2.2).

    Keyboards write an accented letter as one character or as two, and spaces of several kinds: one text, one password.
    """
    spaced = "".join(" " if unicodedata.category(letter) == "Zs" else letter for letter in password)
    return normal_form("NFC", spaced)
