"""Text as it is compared: without case and accents."""

from __future__ import annotations

import unicodedata


def fold(text: str) -> str:
    """Return ``text`` in one case and without accents (an ñ is an n)."""
    spread = unicodedata.normalize("NFKD", text.casefold())
    return "".join(char for char in spread if not unicodedata.combining(char))
