"""The accounts whose words a question asks for: "propone Petro" is best answered by what @petrogustavo wrote."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Sequence

from rag_service.text.handles import is_in_handle
from rag_service.text.normal import searchable
from rag_service.text.terms import Term

MOST_SPEAKERS = 3


def speakers_among(terms: Sequence[Term], authors: Iterable[str | None]) -> list[str]:
    """Return of each person whose words are asked for the account, among the ``authors`` of hits, that is called so.

    It is the one whose handle is written, or holds most of the names, then the one with most hits; at most three, each
    once.
    """
    hits = Counter(author for author in authors if author)
    people = sorted({term.person for term in terms if term.speaker})
    called = [_account([term for term in terms if term.person == person], hits) for person in people]
    return list(dict.fromkeys(account for account in called if account))[:MOST_SPEAKERS]


def without_speakers(question: str, terms: Sequence[Term]) -> str:
    """Return ``question`` without the names of its speakers, which what they write does not hold."""
    names = "|".join(re.escape(term.word) for term in terms if term.speaker)
    return re.sub(rf"(?:\s+[eouy])?\s*[@#]?\b(?:{names})\b", "", searchable(question)) if names else question


def written_handles(terms: Sequence[Term]) -> list[str]:
    """Return the handles of speakers that are written with "@", without it, in lower case; at most three."""
    return [term.word.lower() for term in terms if term.speaker and term.handle][:MOST_SPEAKERS]


def _account(names: Sequence[Term], hits: Counter[str]) -> str | None:
    written = written_handles(names)
    held = {
        author: (author.lower() in written, sum(is_in_handle(author, name.word) for name in names)) for author in hits
    }
    fitting = [author for author in hits if any(held[author])]
    return max(fitting, key=lambda author: (held[author], hits[author], author), default=None)
