"""Whose account a handle is, as far as the name in it tells."""

from __future__ import annotations

from castor_chassis import fold

_LEAST_LETTERS = 4
# Surnames that Spanish abbreviates, and people shorten so in a handle.
_ABBREVIATED = {
    "dominguez": "dguez",
    "fernandez": "fdez",
    "gonzalez": "glez",
    "hernandez": "hdez",
    "martinez": "mtnez",
    "rodriguez": "rguez",
}


def is_in_handle(handle: str, name: str) -> bool:
    """Return whether ``name`` stands in ``handle``: "petrogustavo" holds Petro, "ingrodolfohdez" Hernández.

    A handle is a name without spaces. A name of four letters must begin or end it; a shorter one is in none.
    """
    whole, word = fold(handle, keep_enye=False), fold(name, keep_enye=False)
    short = _ABBREVIATED.get(word)
    if short is not None and short in whole:
        return True
    if len(word) > _LEAST_LETTERS:
        return word in whole
    return len(word) == _LEAST_LETTERS and (whole.startswith(word) or whole.endswith(word))
