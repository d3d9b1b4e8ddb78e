"""Words of a text, for comparison."""

from __future__ import annotations

import re

from castor_chassis import fold
from rag_service.text.normal import searchable

_NOISE = re.compile(r"https?://\S+|^\s*rt\s+@\w+:?|@\w+", re.IGNORECASE)
_WORD, _OF_A_WORD = re.compile(r"\w+"), re.compile(r"\w")


def words_in_order(text: str) -> list[str]:
    """Return the words of a text, folded, without URLs, mentions and the mark of a retweet."""
    return _WORD.findall(fold(_NOISE.sub(" ", searchable(text)), keep_enye=False))


def words_of(text: str) -> frozenset[str]:
    """Return the distinct ``words_in_order`` of a text."""
    return frozenset(words_in_order(text))


def is_at_start(before: str, ends: frozenset[str]) -> bool:
    """Return whether a word with this text before it begins a sentence: nothing, or one of ``ends`` and no word since.

    A pattern (``[.!?]\\W*$``) would begin anew at each sign of a long row of them.
    """
    word = _OF_A_WORD.search(before[::-1])
    return word is None or not ends.isdisjoint(before[len(before) - word.start() :])
