"""The positions that passages take on a question: how many take each, how they feel, when, and in whose words."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from itertools import compress

from rag_service.answers.citations import Citation
from rag_service.answers.passages import Passage, author_of
from rag_service.answers.quoting import Candidate, Group
from rag_service.documents.model import TWEET_SOURCE, Document
from rag_service.questions.question import Question
from rag_service.text.terms import content_keys


@dataclass(frozen=True, slots=True)
class Sentiment:
    """How many documents of a position have each label, and how many have none."""

    positive: int
    neutral: int
    negative: int
    unscored: int


@dataclass(frozen=True, slots=True)
class Position:
    """A group of passages; ``share`` is that of its documents among those about the question, in [0, 1]."""

    terms: list[str]
    share: float
    documents: int
    authors: int
    sentiment: Sentiment
    since: datetime
    until: datetime
    quotes: list[Citation]


@dataclass(frozen=True, slots=True)
class Overview:
    """The positions, largest first; ``documents`` counts all that are about the question, also those in no position
    that is shown; ``authors`` counts those that were found by the name of their author ("" for none); ``passages``
    holds each quoted one by the id of its document; ``parts`` tells of each part of the question how many name it, and
    ``joined`` how many name all of them; ``formed`` how many have the form that it asks for; ``ids`` are those of the
    documents that were found."""

    positions: list[Position]
    documents: int
    authors: Counter[str]
    passages: dict[str, Passage]
    parts: list[tuple[str, int]] = field(default_factory=list)
    joined: int = 0
    formed: int = 0
    ids: list[str] = field(default_factory=list)


def overview_of(
    passages: Sequence[Passage], groups: Sequence[Group], near: Mapping[str, float], question: Question
) -> Overview:
    """Tell the positions of ``groups`` among all ``passages``; ``near`` says how near in meaning each quotable
    sentence is to the question and its group, and is empty when that is not known."""
    total = sum(1 + passage.same for passage in passages)
    told: list[Candidate] = []
    shown = []
    for group in groups:
        best = group.best(near, told)
        told += best
        shown.append(_position(group, total, [one.citation for one in best]))
    quoted = {citation.id for position in shown for citation in position.quotes}
    names = {author_of(document): _name(document) for passage in passages for document in passage.documents}
    everybody = Counter(names[author_of(document)] for passage in passages for document in passage.documents)
    return Overview(
        [position for position in shown if position.quotes],
        total,
        everybody,
        {passage.document.id: passage for passage in passages if passage.document.id in quoted},
        *_parts(passages, question),
        formed=_formed(passages, question),
        ids=[document.id for passage in passages for document in passage.documents],
    )


def _formed(passages: Sequence[Passage], question: Question) -> int:
    form = question.form
    if form is None:
        return 0
    return sum(1 + one.same for one in passages if form.within(one.document.text, question.terms))


def _parts(passages: Sequence[Passage], question: Question) -> tuple[list[tuple[str, int]], int]:
    named = [[passage.names(terms) for _, terms in question.parts] for passage in passages]
    sizes = [1 + passage.same for passage in passages]
    counts = [sum(compress(sizes, column)) for column in zip(*named, strict=True)]
    everything = sum(size for size, row in zip(sizes, named, strict=True) if row and all(row))
    return list(zip((text for text, _ in question.parts), counts, strict=False)), everything


def _name(document: Document) -> str:
    """Return an author's name: of a tweet the account; "" stands for nobody."""
    if document.author is None:
        return ""
    return f"@{document.author}" if document.source == TWEET_SOURCE else document.author


def _position(group: Group, total: int, quotes: list[Citation]) -> Position:
    documents = [document for passage in group.passages for document in passage.documents]
    size = sum(1 + passage.same for passage in group.passages)
    times = [moment for passage in group.passages for moment in passage.times]
    return Position(
        _labels_of(group, quotes),
        size / total,
        size,
        len({author_of(document) for document in documents}),
        _sentiment(documents),
        min(times),
        max(times),
        quotes,
    )


def _labels_of(group: Group, quotes: Sequence[Citation]) -> list[str]:
    """Return the labels of a group whose words are in its quotes: another one would name what is not shown."""
    quoted = frozenset(key for quote in quotes for key, _ in content_keys(quote.quote))
    return [label for label in group.labels if quoted.issuperset(key for key, _ in content_keys(label))]


def _sentiment(documents: Sequence[Document]) -> Sentiment:
    labels = Counter(document.metadata.get("label") for document in documents)
    positive, neutral, negative = (labels[label] for label in ("positive", "neutral", "negative"))
    return Sentiment(positive, neutral, negative, len(documents) - positive - neutral - negative)
