"""Whom a full name means: "César Gaviria" is meant by "Gaviria", and not by "Alejandro Gaviria"."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from castor_chassis import fold
from rag_service.text.given_names import GIVEN_NAMES
from rag_service.text.handles import is_in_handle
from rag_service.text.normal import searchable
from rag_service.text.terms import STOP_WORDS, TITLES, end_of_order

_WORD = r"[A-ZÁÉÍÓÚÜÑ][a-záéíóúüñ]\w*"
_RUN = re.compile(rf"(?<![\w#@]){_WORD}(?: {_WORD})*")
"""Capitalised words in a row; texts in capitals tell no names."""
_HANDLE = re.compile(r"@(\w+)")


def full_names(question: str) -> list[frozenset[str]]:
    """Return the folded words of each name of several words in ``question``, after the order that it begins with."""
    text = searchable(question)
    found = (frozenset(_words(match.group())) for match in _RUN.finditer(text, end_of_order(text)))
    return [name for name in found if len(name) > 1]


def means(text: str, word: str, name: frozenset[str]) -> bool:
    """Return whether a text in which ``word`` of ``name`` stands means who is called so.

    It does not where the word is part of another name each time: after a given name that is not of ``name``, or, when
    it is a given name itself, before another surname. Any other capitalised word before it tells nothing, as in "Ayer
    Gaviria" or "Gobierno Petro"; nor does a text without the word as a name.
    """
    runs = [list(_words(match.group())) for match in _RUN.finditer(searchable(text))]
    held = [(run[:place], run[place + 1 :]) for run in runs for place, one in enumerate(run) if one == word]
    return not held or any(not _is_of_another(word, before, after, name) for before, after in held)


def mentions(text: str, word: str) -> bool:
    """Return whether a handle in ``text`` holds the name: "@AlvaroUribeVel" holds Uribe."""
    return "@" in text and any(is_in_handle(handle, word) for handle in _HANDLE.findall(text))


def _is_of_another(word: str, before: Sequence[str], after: Sequence[str], name: frozenset[str]) -> bool:
    if name & set(before):
        return False
    if word in GIVEN_NAMES:
        return bool(after) and not name & set(after)
    # Two surnames are usual: what stands after a surname does not tell who is meant.
    return bool(GIVEN_NAMES & set(before))


def _words(run: str) -> Iterator[str]:
    folded = (fold(word, keep_enye=False) for word in run.split())
    return (word for word in folded if word not in STOP_WORDS and word not in TITLES)
