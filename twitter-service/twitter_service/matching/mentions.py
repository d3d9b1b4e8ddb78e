"""The name under which a text mentions an entity."""

from __future__ import annotations

import re

from twitter_service.matching.entities import Terms
from twitter_service.matching.folding import fold
from twitter_service.matching.phrases import phrase, words_of

MAX_CHARACTERS = 100
_SIGNED = re.compile(r"(?<!\w)[@#]\w+")


def name_in(text: str, terms: Terms) -> str | None:
    """Return the longest alias in ``text``, else a handle or hashtag as it is written there; None where there is none.

    A handle is returned in its own spelling, because its capitals separate its words.
    """
    plain = words_of(text).plain
    found = [alias for alias in terms.aliases if len(phrase(alias)) > 2 and phrase(alias) in plain]
    if not found:
        signed = {"@" + fold(handle.lstrip("@")) for handle in terms.handles}
        signed |= {"#" + fold(hashtag.lstrip("#")) for hashtag in terms.hashtags}
        found = [match[0] for match in _SIGNED.finditer(text) if fold(match[0]) in signed]
    return max((name for name in found if len(name) <= MAX_CHARACTERS), key=len, default=None)
