"""The positions that passages take on a question: how many take each, how they feel, when, and in whose words."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from rag_service.answers.citations import Citation
from rag_service.answers.clustering import groups_of, labels_of, similarities
from rag_service.answers.passages import Passage
from rag_service.answers.quoting import best_sentence
from rag_service.documents.model import TWEET_SOURCE, Document
from rag_service.text.terms import Term, keys_of

SHOWN = 4
QUOTES = 2
Vectors = Sequence[Sequence[float] | None]


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
    holds each quoted one by the id of its document."""

    positions: list[Position]
    documents: int
    authors: Counter[str]
    passages: dict[str, Passage]


def overview_of(passages: Sequence[Passage], terms: Sequence[Term], vectors: Vectors) -> Overview:
    """Group ``passages`` (best first, at least one) and quote each of the largest groups."""
    texts = [passage.document.text for passage in passages]
    asked = frozenset(key for term in terms for key in term.keys)
    alike = similarities(texts, asked, vectors)
    groups = groups_of(alike, [1 + passage.same for passage in passages])
    labels = labels_of(texts, groups, asked)
    total = sum(1 + passage.same for passage in passages)
    shown = [
        _position([passages[place] for place in group], label, total, terms)
        for group, label in list(zip(groups, labels, strict=True))[:SHOWN]
    ]
    quoted = {citation.id for position in shown for citation in position.quotes}
    names = {author_of(document): _name(document) for passage in passages for document in passage.documents}
    everybody = Counter(names[author_of(document)] for passage in passages for document in passage.documents)
    return Overview(
        [position for position in shown if position.quotes],
        total,
        everybody,
        {passage.document.id: passage for passage in passages if passage.document.id in quoted},
    )


def author_of(document: Document) -> str:
    """Return whose words a document holds; one without an author stands for itself."""
    return (document.author or document.id).lower()


def _name(document: Document) -> str:
    """Return an author's name: of a tweet the account; "" stands for nobody."""
    if document.author is None:
        return ""
    return f"@{document.author}" if document.source == TWEET_SOURCE else document.author


def _position(passages: Sequence[Passage], terms: list[str], total: int, asked: Sequence[Term]) -> Position:
    documents = [document for passage in passages for document in passage.documents]
    size = sum(1 + passage.same for passage in passages)
    times = [moment for passage in passages for moment in passage.times]
    return Position(
        terms,
        size / total,
        size,
        len({author_of(document) for document in documents}),
        _sentiment(documents),
        min(times),
        max(times),
        _quotes(passages, asked, frozenset(key for word in terms for key in keys_of([word]))),
    )


def _sentiment(documents: Sequence[Document]) -> Sentiment:
    labels = Counter(document.metadata.get("label") for document in documents)
    positive, neutral, negative = (labels[label] for label in ("positive", "neutral", "negative"))
    return Sentiment(positive, neutral, negative, len(documents) - positive - neutral - negative)


def _quotes(passages: Sequence[Passage], asked: Sequence[Term], group: frozenset[str]) -> list[Citation]:
    """Return a sentence of each of up to two authors, those first that hold most of the question and of the group."""
    # The most central come first; what many repeat and what holds more of the question goes before them.
    by_worth = sorted(enumerate(passages), key=lambda item: (-round(item[1].coverage, 1), -item[1].same, item[0]))
    quotes: list[Citation] = []
    authors: set[str] = set()
    for _, passage in by_worth:
        citation = best_sentence(passage.document, asked, group)
        if citation is not None and author_of(passage.document) not in authors:
            quotes.append(citation)
            authors.add(author_of(passage.document))
        if len(quotes) == QUOTES:
            break
    return quotes
