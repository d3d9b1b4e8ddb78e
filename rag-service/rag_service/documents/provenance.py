"""Which ids and names are the server's own, however they are written."""

from __future__ import annotations

import re
import unicodedata

from castor_chassis import fold
from rag_service.documents.model import FILE_PREFIX, TWEET_PREFIX, Draft, id_of_content
from rag_service.text.normal import searchable

_RESERVED = ("twitter", "tweet", "tuit", "trino", "castor", "feed")
_LOOK_ALIKES = str.maketrans({"0": "o", "1": "i", "3": "e", "4": "a", "5": "s", "7": "t", "|": "i", "!": "i"})
_NO_LETTER = re.compile(r"[^a-z]+")
_OF_CONTENT = re.compile(r"doc:[0-9a-f]{32}", re.IGNORECASE)


def is_reserved_id(document_id: str) -> bool:
    """Return whether an id begins as those of tweets and of the passages of files do, in any case."""
    return document_id.lower().startswith((TWEET_PREFIX, FILE_PREFIX))


def names_other_content(draft: Draft) -> bool:
    """Return whether the id is one that the server gives to documents without an id, and to another content."""
    made = _OF_CONTENT.fullmatch(draft.id) is not None
    return made and draft.id != id_of_content(draft.source, draft.title, draft.text)


def is_reserved_name(name: str) -> bool:
    """Return whether a source or author poses as the feed or as this system.

    Invisible characters, accents, styles and digits in place of letters make no difference; a name with letters of
    another script than Latin is reserved as a whole, since some of them look like Latin ones.
    """
    plain = fold(searchable(name), keep_enye=False)
    if any(letter.isalpha() and not unicodedata.name(letter, "").startswith("LATIN") for letter in plain):
        return True
    return _NO_LETTER.sub("", plain.translate(_LOOK_ALIKES)).startswith(_RESERVED)
