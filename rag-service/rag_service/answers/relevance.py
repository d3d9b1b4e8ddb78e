"""Which of the documents found speak of what is asked, and what nobody spoke of."""

from __future__ import annotations

import math
import statistics
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from castor_chassis import fold
from rag_service.retrieval.model import Hit
from rag_service.text.terms import Term, keys_of

ENOUGH = 0.5
"""A document is about the question when it holds this share of the weight of its words."""
CALIBRATING = 3
"""So many documents that hold all words tell how near in meaning a document about the question is."""
_COUNTED = 4_000
_LEAST_OF_A_HANDLE = 4


@dataclass(frozen=True, slots=True)
class Relevance:
    """The hits about the question, best first, each with the share of its words that it holds; and the words that
    no hit holds."""

    hits: list[Hit]
    coverage: list[float]
    missing: list[Term]


def relevance_of(terms: Sequence[Term], frequencies: Mapping[str, int], hits: Sequence[Hit]) -> Relevance:
    """Judge ``hits``; ``frequencies`` says in how many documents (up to 4,000) each word of the question stands.

    A word weighs ln(1 + 4000 / (1 + documents)). Of the names one must be held, and each by some hit: of a question
    about somebody whom nobody mentions nothing is relevant. A hit that holds too few of the other words still counts
    when it is as near in meaning as the median of those that hold all.
    """
    held = [_held(terms, hit) for hit in hits]
    missing = [term for place, term in enumerate(terms) if not any(row[place] for row in held)]
    if not terms or any(term.name for term in missing):
        return Relevance([], [], missing)
    coverage = [_coverage(terms, frequencies, row) for row in held]
    near = _near(hits, coverage)
    kept = [place for place, hit in enumerate(hits) if coverage[place] >= ENOUGH or _similarity(hit) >= near]
    kept.sort(key=lambda place: (-coverage[place], place))
    if max(coverage, default=0) < ENOUGH:
        return Relevance([], [], missing)
    return Relevance([hits[place] for place in kept], [coverage[place] for place in kept], missing)


def speaker_among(terms: Sequence[Term], hits: Sequence[Hit]) -> str | None:
    """Return the account, of those that wrote ``hits``, whose words the question asks for; the one with most hits."""
    names = [term for term in terms if term.speaker]
    authors = Counter(hit.document.author for hit in hits if hit.document.author)
    called = [author for author in authors if any(_is_in_handle(author, name) for name in names)]
    return max(called, key=lambda author: (authors[author], author), default=None)


def _coverage(terms: Sequence[Term], frequencies: Mapping[str, int], held: Sequence[bool]) -> float:
    names = [has for term, has in zip(terms, held, strict=True) if term.name]
    if names and not any(names):
        return 0.0
    weights = {term.word: math.log1p(_COUNTED / (1 + frequencies.get(term.word, 0))) for term in terms}
    others = [(weights[term.word], has) for term, has in zip(terms, held, strict=True) if not term.name]
    total = sum(weight for weight, _ in others)
    return sum(weight for weight, has in others if has) / total if others else sum(names) / len(names)


def _near(hits: Sequence[Hit], coverage: Sequence[float]) -> float:
    full = [_similarity(hit) for hit, share in zip(hits, coverage, strict=True) if share > 0.999]
    known = [similarity for similarity in full if similarity > 0]
    return statistics.median(known) if len(known) >= CALIBRATING else math.inf


def _similarity(hit: Hit) -> float:
    return hit.similarity or 0.0


def _held(terms: Sequence[Term], hit: Hit) -> list[bool]:
    document = hit.document
    entities = [name.replace("-", " ") for name in document.entities]
    keys = keys_of([document.title, document.text, document.author, *entities])
    return [term.within(keys) or _is_in_handle(document.author or "", term) for term in terms]


def _is_in_handle(author: str, term: Term) -> bool:
    # A handle is a name without spaces: "petrogustavo" speaks for Petro, "ingrodolfohdez" for Rodolfo.
    handle, word = fold(author, keep_enye=False), fold(term.word, keep_enye=False)
    if len(word) > _LEAST_OF_A_HANDLE:
        return word in handle
    return len(word) == _LEAST_OF_A_HANDLE and (handle.startswith(word) or handle.endswith(word))
