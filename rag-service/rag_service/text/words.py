"""Words of a text, for comparison."""

from __future__ import annotations

import re

from castor_chassis import fold

_NOISE = re.compile(r"https?://\S+|^\s*rt\s+@\w+:?|@\w+", re.IGNORECASE)
_WORD = re.compile(r"\w+")


def words_of(text: str) -> frozenset[str]:
    """Return the distinct words of a text, folded, without URLs, mentions and the mark of a retweet."""
    return frozenset(_WORD.findall(fold(_NOISE.sub(" ", text), keep_enye=False)))
