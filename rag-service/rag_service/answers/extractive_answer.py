"""Quotes without a model: the sentences that share most with the question."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from rag_service.answers.citations import LEAST_CHARACTERS, Citation
from rag_service.documents.model import Document
from rag_service.retrieval.service import words_of

_SENTENCE = re.compile(r"[^\s.!?…][^.!?…\n]*[.!?…]*")
_STEM = 5
"""Words agree when their first letters do: enough for Spanish inflection (pensión, pensional, pensiones)."""
_EMPTY = words_of(
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

    ``documents`` come best first: of equal sentences the one of the better document wins. Score: share of
    the question's words, without function words, that the sentence has.
    """
    wanted = _stems(question)
    if not wanted:
        return []
    best = [max(_sentences(document, wanted), key=lambda s: s.shared, default=None) for document in documents]
    shared = [sentence for sentence in best if sentence is not None and sentence.shared > 0]
    return [sentence.citation for sentence in sorted(shared, key=lambda s: -s.shared)[:limit]]


def quoted(citations: Iterable[Citation]) -> str:
    """Return the quotes as an answer."""
    return "\n".join(f'"{citation.quote}" [{citation.id}]' for citation in citations)


def _sentences(document: Document, wanted: frozenset[str]) -> Iterable[_Sentence]:
    for match in _SENTENCE.finditer(document.text):
        quote = match.group().rstrip()
        if len(quote) >= LEAST_CHARACTERS:
            citation = Citation(document.id, quote, match.start(), match.start() + len(quote))
            yield _Sentence(citation, len(wanted & _stems(quote)) / len(wanted))


def _stems(text: str) -> frozenset[str]:
    return frozenset(word[:_STEM] for word in words_of(text) if len(word) > 2 and word not in _EMPTY)
