"""The tasks without a language model: quotes of the documents' most central sentences. No text is composed.

Sentences are ranked by mean TF-IDF (Salton and Buckley, 1988) and by the bundled encoder's cosine to the mean of all
sentences, and near-duplicates are left out.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Sequence

import numpy as np

from openai_service.extractive.passages import Document, Passage, Prompt, passages
from openai_service.extractive.ranker import Encoder, best_passages, words
from openai_service.tasks.schemas import Advice, Evidence, Finding, Plan, SourcedAnswer, Speech, Summary, Topic, Topics
from openai_service.tasks.topics import Axis, TermMatcher

QUOTED = "Sin un modelo de lenguaje no se redacta nada; esto dicen los documentos, citado palabra por palabra:"
NOTHING = "Ningún documento sirve para esta tarea."
NOT_ANSWERED = "Los documentos no responden a la pregunta."
_MIN_WORDS = 4
_MAX_ENCODED = 400
_MAX_OVERLAP = 0.5
_CENTRE_WEIGHT = 0.5
_HITS_FOR_CERTAIN = 3
_UNSURE = 0.29
_MAX_QUOTE = 600


def central(documents: Sequence[Document], encoder: Encoder | None, count: int) -> list[Passage]:
    """Return up to ``count`` sentences that represent the documents, the most central first."""
    found = [passage for document in documents for passage in passages(document)]
    found = [passage for passage in found if len(words(passage.text)) >= _MIN_WORDS][:_MAX_ENCODED]
    if not found:
        return []
    bags = [Counter(words(passage.text)) for passage in found]
    scores = _weights(bags)
    if encoder is not None:
        rows = encoder.encode([passage.text for passage in found])
        scores = [score + _CENTRE_WEIGHT * float(near) for score, near in zip(scores, rows @ rows.mean(0), strict=True)]
    order = sorted(range(len(found)), key=lambda place: (-scores[place], place))
    return [found[place] for place in _distinct(order, bags)[:count]]


def _weights(bags: Sequence[Counter[str]]) -> list[float]:
    holders = Counter(word for bag in bags for word in bag)
    # A word that several sentences use is what they are about; one that all use, or only one, says little.
    weight = {word: math.log(1 + n) * math.log(1 + len(bags) / n) for word, n in holders.items()}
    raw = [sum(weight[word] for word in bag) / (len(bag) + 5) for bag in bags]
    best = max(raw) or 1.0
    return [value / best for value in raw]


def _distinct(order: Sequence[int], bags: Sequence[Counter[str]]) -> list[int]:
    kept: list[int] = []
    for place in order:
        mine = bags[place].keys()
        if all(len(mine & bags[other].keys()) / len(mine | bags[other].keys()) <= _MAX_OVERLAP for other in kept):
            kept.append(place)
    return kept


def _finding(passage: Passage) -> Finding:
    quote = passage.text[:_MAX_QUOTE]
    return Finding(text=quote, evidence=[Evidence(document_id=passage.document_id, quote=quote)])


def _lines(found: Sequence[Passage]) -> str:
    if not found:
        return NOTHING
    return "\n".join([QUOTED, *(f'- "{passage.text}" [{passage.document_id}]' for passage in found)])


def summary(documents: Sequence[Document], encoder: Encoder | None) -> Summary:
    """Return the most central sentences as findings, without recommendations."""
    found = central(documents, encoder, 5)
    return Summary(overview=_lines(found), findings=[_finding(p) for p in found], recommendations=[])


def plan(documents: Sequence[Document], encoder: Encoder | None) -> Plan:
    """Return the most central sentences as objectives, without actions."""
    found = central(documents, encoder, 5)
    return Plan(objectives=[_finding(p) for p in found], actions=[], timeline="", expected_impact=_lines(found)[:1000])


def speech(documents: Sequence[Document], encoder: Encoder | None) -> Speech:
    """Return quotes that a speech could use."""
    found = central(documents, encoder, 6)
    title = "Citas para un discurso" if found else NOTHING
    return Speech(title=title, content=_lines(found), key_points=[_finding(p) for p in found])


def advice(documents: Sequence[Document], encoder: Encoder | None) -> Advice:
    """Return the most central sentences as guidance, without drafts: a quote is not a post of one's own."""
    return Advice(guidance=_lines(central(documents, encoder, 5)), drafts=[])


def answer(question: str, documents: Sequence[Document], encoder: Encoder | None) -> SourcedAnswer:
    """Return the passages that fit the question."""
    found = best_passages(Prompt(question, tuple(documents)), encoder)
    evidence = [Evidence(document_id=p.document_id, quote=p.text[:_MAX_QUOTE]) for p in found]
    return SourcedAnswer(answer=_lines(found) if found else NOT_ANSWERED, evidence=evidence, answered=bool(found))


def topics(documents: Sequence[Document], labels: Sequence[Axis], encoder: Encoder | None) -> Topics:
    """Return the label of which each document contains the most terms.

    The encoder's cosine to the labels decides ties, and between all labels where there is no term.
    """
    matcher = TermMatcher(labels)
    near = _closeness([document.text for document in documents], labels, encoder)
    items = [
        _topic(document, labels, matcher.counts(document.text), near[row]) for row, document in enumerate(documents)
    ]
    return Topics(items=items)


def _closeness(texts: Sequence[str], labels: Sequence[Axis], encoder: Encoder | None) -> list[list[float]]:
    if encoder is None or not texts:
        return [[0.0] * len(labels) for _ in texts]
    shown = [f"{label.name}: {' '.join(label.terms)}" for label in labels]
    found: list[list[float]] = np.maximum(encoder.encode(texts) @ encoder.encode(shown).T, 0).tolist()
    return found


def _topic(document: Document, labels: Sequence[Axis], hits: Sequence[int], near: Sequence[float]) -> Topic:
    order = sorted(range(len(labels)), key=lambda place: (-hits[place], -near[place], place))
    best, second = order[0], order[1] if len(order) > 1 else None
    sure = min(hits[best] / _HITS_FOR_CERTAIN, 1.0) if hits[best] else min(near[best], _UNSURE)
    return Topic(
        document_id=document.id,
        label=labels[best].slug,
        secondary=labels[second].slug if second is not None and hits[second] else None,
        confidence=round(sure, 3),
    )
