"""Which of the documents found speak of what is asked, and what nobody spoke of."""

from __future__ import annotations

import math
import statistics
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import compress
from operator import mul

import numpy as np

from rag_service.questions.form import REASONS, Form
from rag_service.retrieval.model import Hit
from rag_service.text.handles import is_in_handle
from rag_service.text.names import means, mentions
from rag_service.text.terms import Term, content_keys, keys_of

Vectors = Sequence[Sequence[float] | None]
CALIBRATED = "castor-e5-es-1"
"""The model whose cosines the weights below are of; those of others have another scale."""
WEIGHTS = (-3.82, 0.41, 2.80, 5.20)
"""Weights of the evidence of which documents are about a question, fitted by logistic regression on the judged
documents of the tuned questions (`bench/rag/relevance.py` fits them again): of a constant; of the cosine to the
question, in standard deviations above the mean of all that were found; of the share of its words that is held, the mean
of that of all and of that of one of its parts; and of the mean cosine to the nearest of the documents with most of
both, which finds what is said of the subject in other words."""
ABSOLUTE_WEIGHTS = (-3.98, 3.01, 2.11, 5.94)
"""Weights of whether any is about it, fitted in the same way: of the cosine itself and of the share of all words in
place of the first two. Something is nearest to every question, and only these tell that it is far."""
ENOUGH_TO_STAND_OUT = 20
"""Of fewer documents each is judged by itself: a deviation from the mean of a few says nothing."""
SEEDS, NEAREST = 4, 2
"""So many documents have most of both; of them, so many are the nearest."""
BEYOND = 0.05
"""How much nearer documents on one subject are to each other than to the question, where there is no other."""
SURE, MAYBE, LIKELY = 0.5, 0.4, 0.25
"""Chances. A question is answered where some document has SURE; or MAYBE while some document holds HALF of the weight
of its words; or LIKELY while each of its words is held by some document found."""
NEAR_WITHOUT_WORDS = 0.21
"""A question of whose words none is held by any document found is answered only where one is so near to it: nonsense is
like many documents that are like each other, and near to none."""
ENOUGH, NEXT = 0.35, 0.4
"""Then those with ENOUGH are about it, or with this share of the best chance."""
ALL = 0.999
HALF = 0.5
"""Without that model a document is about it when it holds this share of the weight of the words of a question."""
FULL = 3
"""For other models so many documents that hold all words tell how near one about the question is: their median."""
ENOUGH_OF_TONE = 3
"""So many must have the tone that is asked for; labels are often wrong, and fewer may be all that was found of it."""
ENOUGH_OF_FORM, SHARE_OF_FORM = 3, 0.5
"""So many proposals, and this share, are told without what proposes nothing: more may be proposals of another shape. A
single number answers a question for one."""
LEAST_WORDS = 2
"""A text of fewer words with a subject says nothing about anything."""
_COUNTED = 4_000


@dataclass(frozen=True, slots=True)
class Relevance:
    """The hits about the question, most surely first, each with its chance to be; and the words that no hit holds."""

    hits: list[Hit]
    chances: list[float]
    missing: list[Term]
    tone: str | None = None
    """The label that all of them have, where the question asks for it."""
    form: Form | None = None
    """The form that the question asks for, where they were looked at for it,"""
    formless: int | None = None
    """and how many more are about the question without it, where those were left out."""

    def of_tone(self, label: str | None) -> Relevance:
        """Return those with ``label``, where there are enough of them, else the same."""
        kept = [place for place, hit in enumerate(self.hits) if hit.document.metadata.get("label") == label]
        if label is None or len(kept) < ENOUGH_OF_TONE:
            return self
        return replace(self._of(kept), tone=label)

    def of_form(self, form: Form | None, terms: Sequence[Term]) -> Relevance:
        """Return those that have what the question asks for, where there are enough, and that they have it."""
        if form is None or form is REASONS:
            return self
        kept = [place for place, hit in enumerate(self.hits) if form.within(hit.document.text, terms)]
        if len(kept) < (1 if form.counts else max(ENOUGH_OF_FORM, SHARE_OF_FORM * len(self.hits))):
            return replace(self, form=form)
        return replace(self._of(kept), form=form, formless=len(self.hits) - len(kept))

    def _of(self, places: Sequence[int]) -> Relevance:
        hits, chances = [self.hits[place] for place in places], [self.chances[place] for place in places]
        return replace(self, hits=hits, chances=chances)


def relevance_of(
    terms: Sequence[Term],
    frequencies: Mapping[str, int],
    hits: Sequence[Hit],
    vectors: Vectors = (),
    names: Sequence[frozenset[str]] = (),
) -> Relevance:
    """Judge ``hits``, of which ``vectors`` are; ``frequencies`` says in how many documents each word stands.

    A word weighs ln(1 + 4000 / (1 + documents)), and all names together what the heaviest does. Of the names one must
    be held, and each by some hit: of a question about somebody whom nobody mentions nothing is relevant. Of ``names``
    of several words, what is called so in part, and otherwise in the rest, is somebody else. Of parts that "y" joins,
    those of which no hit holds a word are left out of what must be held.
    """
    held = [_held(terms, hit, names) for hit in hits]
    missing = [term for place, term in enumerate(terms) if not any(row[place] for row in held)]
    if not terms or any(term.name for term in missing):
        return Relevance([], [], missing)
    spoken = _in_spoken_parts(terms, missing)
    coverage = [_coverage(compress(terms, spoken), frequencies, list(compress(row, spoken))) for row in held]
    evidence = Evidence.of(hits, coverage, _of_one_part(terms, frequencies, held), vectors)
    if max(_absolute(hits, evidence), default=0.0) < _enough_to_answer(missing, coverage):
        return Relevance([], [], missing)
    if len(missing) == len(terms) and _is_calibrated(hits) and max(evidence.cosines) < NEAR_WITHOUT_WORDS:
        return Relevance([], [], missing)
    chances = _chances(hits, evidence)
    best = max(chances, default=0.0)
    least = min(ENOUGH, NEXT * best)
    kept = [place for place, hit in enumerate(hits) if chances[place] >= least and _says_something(hit)]
    kept.sort(key=lambda place: (-chances[place], place))
    return Relevance([hits[place] for place in kept], [chances[place] for place in kept], missing)


def _in_spoken_parts(terms: Sequence[Term], missing: Sequence[Term]) -> list[bool]:
    """Return of each term whether some hit holds a word of its part of the question; names are in each.

    Where no part is left, every term counts: "Petro y el bitcoin" asks for nothing without the second.
    """
    spoken = {term.part for term in terms if not term.name and term not in missing}
    return [term.name or not spoken or term.part in spoken for term in terms]


def _enough_to_answer(missing: Sequence[Term], coverage: Sequence[float]) -> float:
    if not missing:
        return LIKELY
    return MAYBE if max(coverage, default=0.0) >= HALF else SURE


@dataclass(frozen=True, slots=True)
class Evidence:
    """What tells whether each hit is about a question: its cosine to it, and that in standard deviations above the mean
    of all hits; the share of the weight of its words that it holds (less than 0 where none of the names is held), and
    the mean of that and the largest of one part; and its nearness to the hits that have most of both."""

    cosines: list[float]
    standing: list[float]
    coverage: list[float]
    partly: list[float]
    near: list[float]

    @classmethod
    def of(
        cls, hits: Sequence[Hit], coverage: list[float], of_one_part: list[float], vectors: Vectors = ()
    ) -> Evidence:
        """Return the evidence of ``hits``, whose ``vectors`` are known or None each."""
        cosines = _cosines(hits)
        near = _nearness(cosines, coverage, vectors or [None] * len(hits))
        mean = [(share + most) / 2 for share, most in zip(coverage, of_one_part, strict=True)]
        return cls(cosines, _standing(cosines), coverage, mean, near)


def evidence_of(
    terms: Sequence[Term],
    frequencies: Mapping[str, int],
    hits: Sequence[Hit],
    vectors: Vectors,
    names: Sequence[frozenset[str]] = (),
) -> Evidence:
    """Return the evidence of ``hits`` for a question of ``terms``."""
    held = [_held(terms, hit, names) for hit in hits]
    coverage = [_coverage(terms, frequencies, row) for row in held]
    return Evidence.of(hits, coverage, _of_one_part(terms, frequencies, held), vectors)


def _of_one_part(terms: Sequence[Term], frequencies: Mapping[str, int], held: Sequence[Sequence[bool]]) -> list[float]:
    """Return the largest share of the weight of a part, with the names, that each hit holds."""
    parts = [
        [term.name or term.part == part for term in terms]
        for part in sorted({one.part for one in terms if not one.name})
    ] or [[True] * len(terms)]
    return [
        max(_coverage(compress(terms, part), frequencies, list(compress(row, part))) for part in parts) for row in held
    ]


def _standing(cosines: Sequence[float]) -> list[float]:
    if not cosines:
        return []
    mean, deviation = statistics.fmean(cosines), statistics.pstdev(cosines)
    return [(cosine - mean) / max(deviation, 1e-6) for cosine in cosines]


def _cosines(hits: Sequence[Hit]) -> list[float]:
    known = [hit.similarity for hit in hits if hit.similarity is not None]
    # One that the search by meaning did not return is no nearer than the last that it did.
    return [min(known, default=0.0) if hit.similarity is None else hit.similarity for hit in hits]


def _chances(hits: Sequence[Hit], evidence: Evidence) -> list[float]:
    """Return for each hit its chance to be about the question: by what sets it apart from enough others, or itself."""
    if not _is_calibrated(hits) or len(hits) < ENOUGH_TO_STAND_OUT:
        return _absolute(hits, evidence)
    rows = zip(evidence.standing, evidence.partly, evidence.near, strict=True)
    return [_chance(WEIGHTS, row) if row[1] >= 0 else 0.0 for row in rows]


def _absolute(hits: Sequence[Hit], evidence: Evidence) -> list[float]:
    """Return for each hit its chance to be about the question, by itself."""
    if _is_calibrated(hits):
        rows = zip(evidence.cosines, evidence.coverage, evidence.near, strict=True)
        return [_chance(ABSOLUTE_WEIGHTS, row) if row[1] >= 0 else 0.0 for row in rows]
    both = list(zip(evidence.cosines, evidence.coverage, strict=True))
    full = [cosine for cosine, share in both if share > ALL and cosine > 0]
    close = statistics.median(full) if len(full) >= FULL else math.inf
    return [_by_words(share, near=cosine >= close) for cosine, share in both]


def _by_words(share: float, *, near: bool) -> float:
    """Without the model of the weights: a document is about it that holds HALF, or that is near and holds a name."""
    if share >= HALF:
        return share
    return SURE if near and share >= 0 else 0.0


def _chance(weights: Sequence[float], evidence: Sequence[float]) -> float:
    constant, *others = weights
    return 1 / (1 + math.exp(-(constant + sum(map(mul, others, evidence)))))


def _nearness(cosines: Sequence[float], coverage: Sequence[float], vectors: Vectors) -> list[float]:
    """Return the mean cosine of each hit to the NEAREST of the seeds, itself left out."""
    first = [cosine + share / 4 for cosine, share in zip(cosines, coverage, strict=True)]
    known = [place for place, vector in enumerate(vectors) if vector is not None]
    seeds = sorted(known, key=lambda place: -first[place])[:SEEDS]
    near = [cosine + BEYOND for cosine in cosines]
    if len(seeds) <= NEAREST:
        return near
    matrix = np.array([vectors[place] for place in known], dtype=np.float64)
    matrix /= np.maximum(np.linalg.norm(matrix, axis=1, keepdims=True), 1e-12)
    alike = matrix @ matrix[[known.index(place) for place in seeds]].T
    for row, place in enumerate(known):
        others = [alike[row, column] for column, seed in enumerate(seeds) if seed != place]
        near[place] = statistics.fmean(sorted(others)[-NEAREST:])
    return near


def _is_calibrated(hits: Sequence[Hit]) -> bool:
    models = {hit.document.embedding_model or "" for hit in hits if hit.similarity is not None}
    return bool(models) and all(model.startswith(CALIBRATED) for model in models)


def _says_something(hit: Hit) -> bool:
    return len({key for key, _ in content_keys(hit.document.text)}) >= LEAST_WORDS


def _coverage(terms: Iterable[Term], frequencies: Mapping[str, int], held: Sequence[bool]) -> float:
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


def _held(terms: Sequence[Term], hit: Hit, names: Sequence[frozenset[str]]) -> list[bool]:
    document = hit.document
    entities = [name.replace("-", " ") for name in document.entities]
    keys = keys_of([document.title, document.text, *entities])
    return [
        is_in_handle(document.author or "", term.word)
        or (term.within(keys_of([document.author]) | keys) and _is_meant(term, document.text, names))
        or (term.name and mentions(document.text, term.word))
        for term in terms
    ]


def _is_meant(term: Term, text: str, names: Sequence[frozenset[str]]) -> bool:
    own = [name for name in names if term.keys & name]
    return not own or all(means(text, word, name) for name in own for word in term.keys & name)
