"""What a question asks about, and of which period."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property

from rag_service.questions.form import Form, asked_form
from rag_service.questions.tone import asked_tone
from rag_service.retrieval.model import Filters
from rag_service.retrieval.speakers import without_speakers
from rag_service.text.normal import searchable
from rag_service.text.periods import period_of, without_period
from rag_service.text.terms import Term, compares, question_terms
from rag_service.text.words import words_of

_OF_A_PERIOD = words_of(
    "enero febrero marzo abril mayo junio julio agosto septiembre setiembre octubre noviembre diciembre hoy "
    "ayer anteayer ultima ultimas ultimos ultimo semana semanas mes meses dia dias ano partir"
)

_PUNCTUATION = re.compile(r"[,;:.¿?¡!]")
_WORD = re.compile(r"\w+")
MOST_PARTS = 4


@dataclass(frozen=True)
class Question:
    """A question: its words of substance, and filters that also hold the period it names."""

    text: str
    terms: list[Term]
    filters: Filters

    @property
    def counts(self) -> bool:
        """Whether it asks for a number."""
        return self.form is not None and self.form.counts

    @cached_property
    def form(self) -> Form | None:
        """Of what form is what it asks for: proposals, reasons, numbers, None for anything said."""
        return asked_form(self.text)

    @cached_property
    def tone(self) -> str | None:
        """The label of what it asks for: negative for criticism, positive for praise, None for anything said."""
        return asked_tone(self.text)

    @cached_property
    def parts(self) -> list[tuple[str, list[Term]]]:
        """What "y" or "o" joins, as it is written, with its terms; none where it asks for one thing, for many or in
        sentences. Those of an ordered comparison of names are the names alone."""
        asked = [term for term in self.terms if not term.speaker]
        names = [term for term in asked if term.name]
        if len({term.part for term in names}) > 1 and compares(searchable(self.text)):
            asked = names
        parts: dict[int, list[Term]] = {}
        for term in asked:
            parts.setdefault(term.part, []).append(term)
        if not 1 < len(parts) <= MOST_PARTS:
            return []
        written = [(_written(self.text, terms), terms) for terms in parts.values()]
        return [] if any(_PUNCTUATION.search(text) for text, _ in written) else written

    @classmethod
    def of(cls, text: str, filters: Filters) -> Question:
        """Read ``text``; a period in it that has begun narrows ``filters`` and is no word of substance any more."""
        period = period_of(text, filters.as_of)
        terms = question_terms(text)
        # Of what is to come nothing was said yet: who asks about it asks what is said of it.
        if period is None or (period[0] is not None and period[0] > filters.as_of):
            return cls(text, terms, filters)
        since, until = period
        rest = frozenset(_WORD.findall(without_period(searchable(text))))
        asked = [term for term in terms if not _is_of_a_period(term) and term.word in rest]
        return cls(text, asked, filters.from_then_on(since).until_then(until))

    def of_speakers(self, authors: Sequence[str]) -> Question:
        """Return the question to what ``authors`` wrote: whose names they are goes without saying there."""
        terms = [term for term in self.terms if not term.speaker] or self.terms
        author = authors[0] if len(authors) == 1 else self.filters.author
        return Question(without_speakers(self.text, self.terms), terms, replace(self.filters, author=author))


def _written(text: str, terms: Sequence[Term]) -> str:
    """Return ``text`` from the first of ``terms`` to the last, or their words where they are not found in order."""
    words = [re.escape(term.word) for term in terms]
    found = re.search(rf"\b{words[0]}\b(?:.*?\b{words[-1]}\b)?" if words[1:] else rf"\b{words[0]}\b", searchable(text))
    return found.group() if found else " ".join(term.word for term in terms)


def _is_of_a_period(term: Term) -> bool:
    return bool(term.keys & _OF_A_PERIOD) or term.word.isdigit()
