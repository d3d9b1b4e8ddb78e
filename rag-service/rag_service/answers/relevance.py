"""Which of the documents found speak of what is asked, and what nobody spoke of."""

from __future__ import annotations

import math
import statistics
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import Enum

from rag_service.retrieval.model import Hit
from rag_service.text.handles import is_in_handle
from rag_service.text.terms import Term, content_keys, keys_of

ENOUGH, PART, MOST = 0.5, 0.4, 0.75
"""Shares of the weight of the words of a question. Where some document holds ENOUGH, those with PART are about it."""
CALIBRATED = "castor-e5-es-1"
"""The model whose cosines these are; those of others have another scale:"""
SURE, CLOSE = 0.37, 0.10
"""Where the best hit has SURE to the question, those within CLOSE of it are about it whatever their words."""
APART, APART_OF_PART = 0.25, 0.16
"""What is farther than this from the best hit is not about the question, although it holds MOST of its words, or PART.
All were chosen on half of the questions of bench/rag; none that nobody spoke of has SURE."""
FULL = 3
"""For other models so many documents that hold all words tell how near one about the question is: their median."""
LEAST_WORDS = 2
"""A text of fewer words with a subject says nothing about anything."""
_COUNTED = 4_000


@dataclass(frozen=True, slots=True)
class Relevance:
    """The hits about the question, best first, each with the share of its words that it holds; and the words that
    no hit holds."""

    hits: list[Hit]
    coverage: list[float]
    missing: list[Term]


def relevance_of(terms: Sequence[Term], frequencies: Mapping[str, int], hits: Sequence[Hit]) -> Relevance:
    """Judge ``hits``; ``frequencies`` says in how many documents (up to 4,000) each word of the question stands.

    A word weighs ln(1 + 4000 / (1 + documents)), and all names together what the heaviest does. Of the names one must
    be held, and each by some hit: of a question about somebody whom nobody mentions nothing is relevant. What holds too
    few of the words still counts when it is nearest in meaning, and what is far in meaning does not count.
    """
    held = [_held(terms, hit) for hit in hits]
    missing = [term for place, term in enumerate(terms) if not any(row[place] for row in held)]
    if not terms or any(term.name for term in missing):
        return Relevance([], [], missing)
    coverage = [_coverage(terms, frequencies, row) for row in held]
    near = _nearness(hits, coverage)
    least = PART if _is_calibrated(hits) else ENOUGH
    about = [_is_about(share, how, least) for share, how in zip(coverage, near, strict=True)]
    if not any(_is_about(share, how, ENOUGH) for share, how in zip(coverage, near, strict=True)):
        return Relevance([], [], missing)
    kept = [place for place, hit in enumerate(hits) if about[place] and _says_something(hit)]
    kept.sort(key=lambda place: (-coverage[place], place))
    return Relevance([hits[place] for place in kept], [coverage[place] for place in kept], missing)


class _Near(Enum):
    """How near in meaning a hit is."""

    CLOSE = "close"
    FAIR = "fair"
    APART = "apart"


def _is_calibrated(hits: Sequence[Hit]) -> bool:
    models = {hit.document.embedding_model or "" for hit in hits if hit.similarity is not None}
    return bool(models) and all(model.startswith(CALIBRATED) for model in models)


def _nearness(hits: Sequence[Hit], coverage: Sequence[float]) -> list[_Near]:
    known = [hit.similarity for hit in hits if hit.similarity is not None]
    # One that the search by meaning did not return is no nearer than the last that it did.
    cosines = [min(known, default=0.0) if hit.similarity is None else hit.similarity for hit in hits]
    if not _is_calibrated(hits):
        full = [cosine for cosine, share in zip(cosines, coverage, strict=True) if share > 0.999 and cosine > 0]
        close = statistics.median(full) if len(full) >= FULL else math.inf
        return [_Near.CLOSE if cosine >= close else _Near.FAIR for cosine in cosines]
    best = max(known)
    return [_near(best, best - cosine, share) for cosine, share in zip(cosines, coverage, strict=True)]


def _near(best: float, behind: float, share: float) -> _Near:
    if best >= SURE and behind <= CLOSE:
        return _Near.CLOSE
    return _Near.FAIR if behind <= (APART if share >= MOST else APART_OF_PART) else _Near.APART


def _is_about(share: float, how: _Near, least: float) -> bool:
    """Return whether a hit is: by its words unless it is far in meaning, or by its meaning unless it has no name."""
    return share >= 0 and (how is _Near.CLOSE or (share >= least and how is _Near.FAIR))


def _says_something(hit: Hit) -> bool:
    return len({key for key, _ in content_keys(hit.document.text)}) >= LEAST_WORDS


def _coverage(terms: Sequence[Term], frequencies: Mapping[str, int], held: Sequence[bool]) -> float:
    """Return the share of the weight of ``terms`` that is held; less than 0 when there are names, and none is."""
    names: list[tuple[float, bool]] = []
    others: list[tuple[float, bool]] = []
    for term, has in zip(terms, held, strict=True):
        weight = math.log1p(_COUNTED / (1 + frequencies.get(term.word, 0)))
        (names if term.name else others).append((weight, has))
    if names and not any(has for _, has in names):
        return -1.0
    total = sum(weight for weight, _ in others) + max((weight for weight, _ in names), default=0.0)
    there = sum(weight for weight, has in others if has) + max((weight for weight, has in names if has), default=0.0)
    return there / total


def _held(terms: Sequence[Term], hit: Hit) -> list[bool]:
    document = hit.document
    entities = [name.replace("-", " ") for name in document.entities]
    keys = keys_of([document.title, document.text, document.author, *entities])
    return [term.within(keys) or is_in_handle(document.author or "", term.word) for term in terms]
