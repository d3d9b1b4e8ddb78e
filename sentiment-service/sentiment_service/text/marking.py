"""A text with its mentions of a target marked, as the target model reads it.

``marked("Bien por Petro, mal por Uribe", "Petro")`` is ``"Bien por [ Petro ], mal por Uribe"``. The model reads the
target as a first segment and the marked text as a second one.
"""

from __future__ import annotations

import re

from castor_chassis import normal_form, unescape
from sentiment_service.text.normalise import normalise, plain

OPEN, CLOSE = "[", "]"


def marked(text: str, target: str) -> str:
    """Return the normalised text with every mention of ``target`` between brackets.

    A mention is the target as written, in any case and without regard to accents, at the bounds of words; a hashtag or
    handle that is the target counts, and so do the words of a hashtag (``#PetroPresidente``). The text is returned
    without marks if there is none.
    """
    raw = plain(unescape(text))
    found = mark(raw, plain(target))
    return normalise(found if found != raw else mark(normalise(text), normalise(target)))


def mark(text: str, target: str) -> str:
    """Put brackets around the mentions of ``target``."""
    name = re.escape(folded(target.lstrip("@#")))
    if not name:
        return text
    spans = [found.span() for found in re.finditer(rf"(?<!\w)[@#]?{name}(?!\w)", folded(text))]
    for start, end in reversed(spans):
        text = f"{text[:start]} {OPEN} {text[start:end]} {CLOSE} {text[end:]}"
    return text


def folded(text: str) -> str:
    """Return the text in lower case without accents, each character in its place."""
    return "".join(_base(character) for character in text)


def _base(character: str) -> str:
    lower = normal_form("NFD", character.lower())
    return lower[:1] or character
