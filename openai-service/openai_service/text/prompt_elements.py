"""The elements of a prompt, ``<document id="…">`` and ``<question>``, as README says that callers send them."""

from __future__ import annotations

import re
from collections.abc import Iterator

# Of any length: an id of 200 characters is up to five times as long once it is escaped.
DOCUMENT_BEGINS, DOCUMENT_ENDS = re.compile(r'<document id="([^"<>\n]+)">'), "</document>"
QUESTION_BEGINS, QUESTION_ENDS = re.compile("<question>"), "</question>"


def elements(text: str, begins: re.Pattern[str], ends: str) -> Iterator[tuple[re.Match[str], str, int]]:
    """Yield the beginning, the content and the end of each element, in time linear in the length of ``text``.

    One that is not closed ends the search: none behind it is closed either.
    """
    place = 0
    while (begin := begins.search(text, place)) and (end := text.find(ends, begin.end())) >= 0:
        place = end + len(ends)
        yield begin, text[begin.end() : end], place


def without_documents(text: str) -> str:
    """Return ``text`` with each document reduced to its id, and without what follows one that is not closed."""
    pieces, start = [], 0
    for begin, _, end in elements(text, DOCUMENT_BEGINS, DOCUMENT_ENDS):
        pieces += [text[start : begin.start()], _empty(begin)]
        start = end
    rest = text[start:]
    if (unclosed := DOCUMENT_BEGINS.search(rest)) is not None:
        rest = rest[: unclosed.start()] + _empty(unclosed)
    return "".join([*pieces, rest])


def _empty(document: re.Match[str]) -> str:
    return f'<document id="{document[1]}"/>'
