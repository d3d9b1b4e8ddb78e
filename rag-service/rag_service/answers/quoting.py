"""Groups of passages that take the same position, and whose sentences speak for each."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from rag_service.answers.citations import Citation
from rag_service.answers.clustering import groups_of, meanings, similarities
from rag_service.answers.passages import Passage, author_of
from rag_service.answers.quotable import Wanted, quotes_of, worth
from rag_service.answers.relevance import SURE, Vectors
from rag_service.questions.question import Question
from rag_service.retrieval.fusion import similar_words
from rag_service.text.labels import labels_of
from rag_service.text.terms import keys_of
from rag_service.text.words import words_of

CONSIDERED = 5
"""Of so many passages of a group, those that are most surely on the question, and of the first of another author, the
sentences are compared."""
BEHIND, BEHIND_OF_ONE = 0.3, 0.15
"""The second author is quoted when the sentence is worth so much less than the first at most; and another text of the
first, of a group of AT_LEAST documents, where he alone speaks."""
AT_LEAST = 5
UNHEARD = 0.1
"""What it counts that an author was not quoted yet."""
TOLD = 0.15
"""What it costs that the quote of another group said nearly the same."""
CHANCE = 0.5
"""What the chance of a passage to be about the question counts, in the measure of cosines."""
REPEATED, MANY = 0.05, 3
"""What it counts, in the same measure, that so many or more say the same."""
ALIKE = 0.5
"""What likeness to the passage that stands for the group counts beside that chance."""
MOST_OF_IT = 0.6
"""A quote that is this share of its document has the meaning of the document."""
SURE_OF_BEST = 0.4
"""A group is told that holds a passage which is SURE to be about the question, or has this share of the best chance."""
ALREADY = 0.25
"""What likeness to the document of a quote of another group costs."""
KIN, KINSHIP = 0.5, 0.5
"""The document of the second quote of a group has this cosine to that of the first, and so much counts how near it is:
two quotes of one group that say different things are two positions."""
APART = 0.5
"""What nearness to the centre of another group counts against a quote."""


@dataclass(frozen=True, slots=True)
class Candidate:
    """A sentence that could be quoted; ``words`` is what it is worth by them and by its passage, ``vector`` that of the
    passage where it is most of it, ``cosine`` then its own to the question, and ``document`` that of its passage."""

    citation: Citation
    author: str
    words: float
    vector: Sequence[float] | None = None
    cosine: float = 0.0
    document: Sequence[float] | None = None

    def kinship(self, other: Candidate) -> float:
        """Return the cosine of the vectors of the documents of two sentences, KIN where one is not known."""
        if self.document is None or other.document is None:
            return KIN
        return float(np.dot(self.document, other.document))


@dataclass(frozen=True, slots=True)
class Group:
    """Passages, the one that stands for them first, what they are about, and what could be quoted of them.

    ``centre`` is the mean of their vectors, None when none has one.
    """

    passages: list[Passage]
    labels: list[str]
    candidates: list[Candidate]
    centre: list[float] | None

    @property
    def chance(self) -> float:
        """That of the passage which is most surely about the question."""
        return max(passage.chance for passage in self.passages)

    def likeliest(self, number: int) -> list[Candidate]:
        """Return so many of the candidates that are worth most by their words: to compare all would take too long."""
        return sorted(self.candidates, key=lambda one: -one.words)[:number]

    def best(self, near: Mapping[str, float], quoted: Sequence[Candidate] = ()) -> list[Candidate]:
        """Return the best sentence, and that of another author, rather one not ``quoted`` yet, when it is nearly as
        good; what says nearly what was quoted gives way."""
        heard = {one.author for one in quoted}
        told = [words_of(one.citation.quote) for one in quoted]
        value = {
            one.citation: one.words
            + near.get(one.citation.quote, 0.0)
            - TOLD * _is_told(one, told)
            - ALREADY * max((one.kinship(other) for other in quoted), default=KIN)
            for one in self.candidates
        }
        # Of equals the first counts: passages that stand for the group come before others, as do first sentences.
        ranked = sorted(self.candidates, key=lambda one: -value[one.citation])
        if not ranked:
            return []
        first = ranked[0]
        others, behind = self._beside(first, ranked[1:])
        other = max(
            others,
            key=lambda one: value[one.citation] + UNHEARD * (one.author not in heard) + KINSHIP * first.kinship(one),
            default=None,
        )
        if other is None or value[other.citation] < value[first.citation] - behind:
            return [first]
        return [first, other]

    def _beside(self, first: Candidate, others: Sequence[Candidate]) -> tuple[list[Candidate], float]:
        """Return what may be quoted beside ``first``, which says its position in other words, and how much less it may
        be worth: sentences of other authors, or of the one who alone speaks in a large group."""
        kin = [one for one in others if first.kinship(one) >= KIN]
        if len({author_of(passage.document) for passage in self.passages}) == 1 and len(self.passages) >= AT_LEAST:
            return [one for one in kin if _is_another(one, first)], BEHIND_OF_ONE
        words = words_of(first.citation.quote)
        return [
            one for one in kin if one.author != first.author and not similar_words(words, words_of(one.citation.quote))
        ], BEHIND


def _is_told(one: Candidate, told: Sequence[frozenset[str]]) -> bool:
    """Return whether most of the words of a sentence, or of one that was quoted, are in both."""
    words = words_of(one.citation.quote)
    return any(2 * len(words & others) > min(len(words), len(others)) for others in told)


def _is_another(one: Candidate, first: Candidate) -> bool:
    """Return whether a sentence is of another document, and says something else than ``first``."""
    words, others = words_of(one.citation.quote), words_of(first.citation.quote)
    return one.citation.id != first.citation.id and len(words & others) <= len(words | others) / 3


def groups_with_quotes(
    passages: Sequence[Passage], question: Question, vectors: Vectors, *, compared: bool = False
) -> list[Group]:
    """Group ``passages`` (at least one), whose ``vectors`` are given where they have one; largest groups first.

    Where authors are ``compared``, each group is of one, and each author has a group.
    """
    terms = question.terms
    texts = [passage.document.text for passage in passages]
    asked = keys_of([term.word for term in terms])
    tones = [passage.label for passage in passages]
    alike = similarities(texts, asked, vectors, tones)
    weights = [passage.chance**2 * (1 + passage.same) for passage in passages]
    seeds: list[int] = []
    if compared:
        authors = np.array([author_of(passage.document) for passage in passages])
        alike[authors[:, None] != authors[None, :]] = -1.0
        seeds = _surest_of_each_author(passages)
    else:
        seeds = _surest_of_each_part(passages, question)
    groups = groups_of(alike, weights, seeds, None if compared else meanings(vectors, tones))
    labels = labels_of(texts, groups, asked)
    known = {passage.document.id: vector for passage, vector in zip(passages, vectors, strict=True)}
    surest = [_surest([(passages[place], float(alike[group[0], place])) for place in group]) for group in groups]
    found = [
        Group(
            [passages[place] for place in group],
            label,
            _candidates(first, question, label, known),
            _centre([vectors[place] for place in group]),
        )
        for group, first, label in zip(groups, surest, labels, strict=True)
    ]
    return sorted(found, key=lambda group: -sum(1 + passage.same for passage in group.passages))


def surely_about(
    passages: Sequence[Passage], groups: Sequence[Group], *, compared: bool = False
) -> tuple[list[Passage], list[Group]]:
    """Leave out the groups of which no passage is surely about the question, and what stands in none and is not.

    Where authors are ``compared``, the surest group of each stays.
    """
    best = max(passage.chance for passage in passages)
    least = min(SURE, SURE_OF_BEST * best)
    surest: dict[str, Group] = {}
    for group in sorted(groups, key=lambda one: -one.chance) if compared else ():
        surest.setdefault(_author_of(group), group)
    kept = [group for group in groups if group.chance >= least or surest.get(_author_of(group)) is group]
    grouped = {passage.document.id for group in kept for passage in group.passages}
    return [one for one in passages if one.chance >= least or one.document.id in grouped], kept


def nearness(
    groups: Sequence[Group], question: Sequence[float] | None, sentences: Mapping[str, Sequence[float]]
) -> dict[str, float]:
    """Return the cosine of each sentence to the question plus that to the centre of its group, less a part of that to
    the nearest other centre; ``sentences`` has the vectors of those that are no whole document."""
    centres = [group.centre for group in groups]
    found = {}
    for place, group in enumerate(groups):
        others = np.array([one for one in centres[:place] + centres[place + 1 :] if one is not None])
        for one in group.candidates:
            vector = sentences.get(one.citation.quote, one.vector)
            if vector is None or group.centre is None:
                continue
            asked = one.cosine if question is None or one.vector is not None else float(np.dot(vector, question))
            apart = float((others @ np.array(vector)).max(initial=0.0)) if len(others) else 0.0
            found[one.citation.quote] = asked + float(np.dot(vector, group.centre)) - APART * apart
    return found


def _surest_of_each_author(passages: Sequence[Passage]) -> list[int]:
    """Return the place of the passage of each author that is most surely about the question."""
    found: dict[str, int] = {}
    for place in sorted(range(len(passages)), key=lambda one: -passages[one].chance):
        found.setdefault(author_of(passages[place].document), place)
    return sorted(found.values())


def _surest_of_each_part(passages: Sequence[Passage], question: Question) -> list[int]:
    """Return the place of the passage that most surely is about the question and names it, of each part."""
    found = (
        max(
            (place for place, one in enumerate(passages) if one.names(terms)),
            key=lambda place: passages[place].chance,
            default=None,
        )
        for _, terms in question.parts
    )
    return sorted({place for place in found if place is not None})


def _author_of(group: Group) -> str:
    return author_of(group.passages[0].document)


def _surest(members: Sequence[tuple[Passage, float]]) -> list[Passage]:
    """Return passages by their chance and by how alike (given beside) they are to the one that stands for the group."""
    ranked = sorted(members, key=lambda one: (-(one[0].chance + ALIKE * min(one[1], 1.0)), -one[0].same))
    first, rest = [one for one, _ in ranked[:CONSIDERED]], [one for one, _ in ranked[CONSIDERED:]]
    authors = {author_of(passage.document) for passage in first}
    others = (passage for passage in rest if author_of(passage.document) not in authors)
    other = next(others, None) if len(authors) == 1 else None
    return [*first, *([other] if other else [])]


def _candidates(
    passages: Sequence[Passage],
    question: Question,
    labels: Sequence[str],
    vectors: Mapping[str, Sequence[float] | None],
) -> list[Candidate]:
    own = keys_of(labels)
    wanted = _wanted(question)
    found = [(passage, citation) for passage in passages for citation in quotes_of(passage.document, wanted)]
    values = [worth(one.quote, question.terms, own, form=question.form) for _, one in found]
    return [
        Candidate(
            one,
            author_of(passage.document),
            value + _worth_of(passage),
            vectors[passage.document.id] if _is_most_of(one, passage) else None,
            passage.cosine or 0.0,
            vectors[passage.document.id],
        )
        for (passage, one), value in zip(found, values, strict=True)
    ]


def _wanted(question: Question) -> Wanted:
    """Return what tells whether a sentence has a word of the question, or the form that it asks for."""
    terms, form = question.terms, question.form

    def wanted(text: str) -> bool:
        keys = keys_of([text])
        return any(term.within(keys) for term in terms) or (form is not None and form.of(text))

    return wanted


def _is_most_of(quoted: Citation, passage: Passage) -> bool:
    return passage.cosine is not None and len(quoted.quote) >= MOST_OF_IT * len(passage.document.text)


def _worth_of(passage: Passage) -> float:
    return CHANCE * passage.chance + REPEATED * min(1.0, passage.same / MANY)


def _centre(vectors: Vectors) -> list[float] | None:
    known = [vector for vector in vectors if vector is not None]
    if not known:
        return None
    mean = np.array(known, dtype=np.float64).mean(axis=0)
    return [float(value) for value in mean / max(float(np.linalg.norm(mean)), 1e-12)]
