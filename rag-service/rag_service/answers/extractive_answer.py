"""Answers without a model: the sentences that share most words with the question."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from rag_service.answers.citations import Citation
from rag_service.documents.model import Document
from rag_service.text.verbatim import MINIMUM_QUOTE_CHARACTERS
from rag_service.text.words import words_of

_SENTENCE = re.compile(r"[^\s.!?…][^.!?…\n]*[.!?…]*")
_STEM_CHARACTERS = 5
"""Words with the same first letters count as one, which covers Spanish inflection (pensión, pensional, pensiones)."""
_STOP_WORDS = words_of(
    "como cual cuales cuando cuanto cuantos desde dice dicen dijo donde entre esta este esto estos estas fue han hay "
    "las los mas muy nos para pero por porque que quien quienes segun ser sido sin sobre son sus tiene tienen una "
    "uno unos unas del con"
)


@dataclass(frozen=True, slots=True)
class _Sentence:
    citation: Citation
    shared: float


def best_quotes(question: str, documents: Sequence[Document], limit: int = 4) -> list[Citation]:
    """Return at most ``limit`` sentences, one per document, best first; none when nothing is shared.

    A sentence's score is the share of the question's words, stop words left out, that it holds. ``documents`` come
    best first: of equal sentences the one of the better document wins.
    """
    asked = _stems(question)
    if not asked:
        return []
    best = [max(_sentences(document, asked), key=lambda s: s.shared, default=None) for document in documents]
    shared = [sentence for sentence in best if sentence is not None and sentence.shared > 0]
    return [sentence.citation for sentence in sorted(shared, key=lambda s: -s.shared)[:limit]]


def join_quotes(citations: Iterable[Citation]) -> str:
    """Return the quotes as an answer, one a line, each followed by its document's id."""
    return "\n".join(f'"{citation.quote}" [{citation.id}]' for citation in citations)


def _sentences(document: Document, asked: frozenset[str]) -> Iterable[_Sentence]:
    for match in _SENTENCE.finditer(document.text):
        quote = match.group().rstrip()
        if len(quote) >= MINIMUM_QUOTE_CHARACTERS:
            citation = Citation(document.id, quote, match.start(), match.start() + len(quote))
            yield _Sentence(citation, len(asked & _stems(quote)) / len(asked))


def _stems(text: str) -> frozenset[str]:
    return frozenset(word[:_STEM_CHARACTERS] for word in words_of(text) if len(word) > 2 and word not in _STOP_WORDS)
