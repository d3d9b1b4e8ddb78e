"""Which analyses answer a question: those of the kind that it asks for, about its subject. No I/O."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

from castor_chassis import fold
from rag_service.documents.model import Document
from rag_service.questions.question import Question
from rag_service.text.instructions import is_instruction
from rag_service.text.names import full_names, means
from rag_service.text.normal import searchable
from rag_service.text.terms import Term, keys_of
from rag_service.text.words import words_of

_OF_THE_ASKING = words_of(
    "hoy ayer anteayer manana dia dias semana semanas mes meses ano anos hora horas ahora actual actuales topic topics "
    "proxima proximas proximo proximos siguiente siguientes ultima ultimas ultimo ultimos"
)
"""Words that say when, folded; a document need not hold them."""


@dataclass(frozen=True, slots=True)
class Kind:
    """A kind of analyses; patterns are of folded text.

    A document is known by ``key`` in its metadata, where that says any kind of ours, else by a word that it holds.
    """

    key: str
    name: str
    asked: re.Pattern[str]
    named: re.Pattern[str]
    most: int
    """So many are told."""

    def of(self, document: Document) -> bool:
        """Return whether a document is one."""
        if (said := document.metadata.get("kind")) in _KEYS:
            return said == self.key
        return self.named.search(_folded(f"{document.title or ''} {document.text}")) is not None


_KEYS = ("forecast", "trend")
FORECASTS = Kind(
    "forecast",
    "pronóstico",
    re.compile(
        r"\b(?:pronostic\w*|prevision(?:es)?|preve|preven|proyecci[oó]n(?:es)?|predice|predicen|prediccion(?:es)?)\b"
    ),
    re.compile(r"\bpronostic"),
    3,
)
TRENDS = Kind(
    "trend",
    "tendencia",
    re.compile(r"\b(?:tendencias?|trending|viral(?:es|izo)?)\b"),
    re.compile(r"\btendencias?\b"),
    5,
)


def asked_kind(question: str) -> Kind | None:
    """Return the kind of analyses that ``question`` asks for, None where it asks for what people say."""
    folded = _folded(question)
    return next((kind for kind in (FORECASTS, TRENDS) if kind.asked.search(folded)), None)


def chosen(question: Question, kind: Kind, documents: Iterable[Document]) -> list[Document]:
    """Return the analyses that answer ``question``, those that hold most of its subject first.

    Of several of one title the newest counts. Where the question names a period, analyses that rest on more tweets come
    first, else the newest.
    """
    subject = [term for term in question.terms if not kind.asked.search(_folded(term.word)) and not _says_when(term)]
    about = [
        one
        for one in documents
        if kind.of(one) and not is_instruction(one.text) and _is_about(one, question.text, subject)
    ]
    newest: dict[tuple[str | None, str | None], Document] = {}
    for one in sorted(about, key=lambda one: (one.published_at, one.id), reverse=True):
        newest.setdefault((one.stored_by, one.title), one)
    of_a_period = question.filters.since is not None or question.filters.until is not None

    def rank(one: Document) -> tuple[int, float, datetime, float]:
        size = _size(one)
        return len(_held(one, subject)), size if of_a_period else 0.0, one.published_at, size

    return sorted(newest.values(), key=rank, reverse=True)[: kind.most]


def _size(document: Document) -> float:
    """Return how many tweets an analysis rests on, 0 where it does not say."""
    tweets = document.metadata.get("tweets")
    return float(tweets) if isinstance(tweets, int | float) else 0.0


def _is_about(document: Document, question: str, subject: Sequence[Term]) -> bool:
    held, names = _held(document, subject), [term for term in subject if term.name]
    if 2 * len(held) < len(subject):
        return False
    return not names or any(term in held and _is_meant(document, term, question) for term in names)


def _held(document: Document, subject: Sequence[Term]) -> list[Term]:
    keys = keys_of([document.title, document.text])
    return [term for term in subject if term.within(keys)]


def _is_meant(document: Document, term: Term, question: str) -> bool:
    word, text = fold(term.word, keep_enye=False), f"{document.title or ''}. {document.text}"
    return all(means(text, word, name) for name in full_names(question) if word in name)


def _says_when(term: Term) -> bool:
    return bool(term.keys & _OF_THE_ASKING) or term.word.isdigit()


def _folded(text: str) -> str:
    return fold(searchable(text), keep_enye=False)
