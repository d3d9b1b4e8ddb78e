"""Documents that say the same, as one passage that counts them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from rag_service.documents.model import Document
from rag_service.retrieval.fusion import similar_words
from rag_service.retrieval.model import Hit
from rag_service.text.terms import Term, keys_of
from rag_service.text.words import words_of


@dataclass(slots=True)
class Passage:
    """A document, those found that repeat it, its chance to be about the question (0 to 1) and its cosine to it."""

    document: Document
    chance: float
    words: frozenset[str]
    cosine: float | None = None
    repeats: list[Document] = field(default_factory=list)
    copies: int = 0
    """Documents of the same words that are stored beside those found."""

    @property
    def same(self) -> int:
        """How many more say the same."""
        return len(self.repeats) + self.copies

    @property
    def label(self) -> str | None:
        """The sentiment of its document."""
        label = self.document.metadata.get("label")
        return label if isinstance(label, str) else None

    @property
    def documents(self) -> list[Document]:
        """All that were found."""
        return [self.document, *self.repeats]

    def names(self, terms: Sequence[Term]) -> bool:
        """Return whether its document holds more than half of ``terms``."""
        keys = keys_of([self.document.title, self.document.text])
        return 2 * sum(term.within(keys) for term in terms) > len(terms)

    def beside_those_found(self, stored: Mapping[str | None, int]) -> int:
        """Return how many documents of its words there are beside those found, of how many are ``stored`` by hash."""
        found = Counter(document.words_hash for document in self.documents if document.words_hash is not None)
        return sum(max(0, stored.get(words, 0) - number) for words, number in found.items())

    @property
    def times(self) -> list[datetime]:
        """When they were published."""
        return [document.published_at for document in self.documents]


def fold_repeats(hits: Sequence[Hit], chances: Sequence[float]) -> list[Passage]:
    """Return one passage for each text; its document is the earliest of those that say the same.

    Texts are the same when they are near-duplicates: Jaccard similarity of their words of at least 0.8.
    """
    passages: list[Passage] = []
    for hit, chance in zip(hits, chances, strict=True):
        words = words_of(hit.document.text)
        same = next((passage for passage in passages if similar_words(words, passage.words)), None)
        if same is None:
            passages.append(Passage(hit.document, chance, words, hit.similarity))
        else:
            same.repeats.append(hit.document)
            _earliest_first(same)
    return passages


def _earliest_first(passage: Passage) -> None:
    first, *others = sorted(passage.documents, key=lambda document: (document.published_at, document.id))
    passage.document, passage.repeats = first, others


def author_of(document: Document) -> str:
    """Return whose words a document holds; one without an author stands for itself."""
    return (document.author or document.id).lower()
