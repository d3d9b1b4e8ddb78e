"""By which of its names a text names an entity."""

from __future__ import annotations

import re

from twitter_service.matching.entities import Terms
from twitter_service.matching.folding import fold
from twitter_service.matching.phrases import phrase, words_of

MOST_CHARACTERS = 100
_SIGNED = re.compile(r"(?<!\w)[@#]\w+")


def name_in(text: str, terms: Terms) -> str | None:
    """Return the longest alias in ``text``, else a handle or hashtag as it is written there; None where there is none.

    The spelling of a handle matters to whoever reads it: its capitals tell its words apart.
    """
    plain = words_of(text).plain
    found = [alias for alias in terms.aliases if len(phrase(alias)) > 2 and phrase(alias) in plain]
    if not found:
        wanted = {"@" + fold(handle.lstrip("@")) for handle in terms.handles}
        wanted |= {"#" + fold(hashtag.lstrip("#")) for hashtag in terms.hashtags}
        found = [match[0] for match in _SIGNED.finditer(text) if fold(match[0]) in wanted]
    return max((name for name in found if len(name) <= MOST_CHARACTERS), key=len, default=None)
