"""Text in the form in which it is compared."""

from __future__ import annotations

import unicodedata


def fold(text: str) -> str:
    """Return ``text`` in lower case and without accents; "ñ" becomes "n"."""
    spread = unicodedata.normalize("NFKD", text.casefold())
    return "".join(char for char in spread if not unicodedata.combining(char))
