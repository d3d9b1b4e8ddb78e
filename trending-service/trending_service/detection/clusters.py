"""Groups terms of one subject into one topic, labelled by the most informative of them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from trending_service.text.terms import Kind

SAME_TWEETS = 0.4
"""Jaccard similarity of tweets from which two terms are one topic."""
RELATED_OVERLAP = 0.3
"""Overlap coefficient from which terms that share a word are one topic ('debate', '#Debate2022')."""
_LABEL_COVERAGE = 0.5


@dataclass(frozen=True, slots=True)
class BurstingTerm:
    """A term that bursts: its most frequent spelling, the words in it, its score, the ids of its tweets."""

    key: str
    kind: Kind
    spelling: str
    words: frozenset[str]
    score: float
    tweets: frozenset[int]

    @property
    def is_common_word(self) -> bool:
        """Whether it is a lone word that is mostly written small, so neither a name nor an acronym."""
        return self.kind == "phrase" and self.spelling.islower() and " " not in self.spelling


@dataclass(frozen=True, slots=True)
class Cluster:
    """One topic: its label, all its terms (strongest first), the union of their tweets."""

    label: BurstingTerm
    members: tuple[BurstingTerm, ...]
    tweets: frozenset[int]


def cluster(terms: Iterable[BurstingTerm]) -> list[Cluster]:
    """Return the topics of these terms, strongest first; the same for any order of ``terms``.

    A term joins the topic of the strongest term before it that it resembles, or begins one of its own.
    """
    groups: list[list[BurstingTerm]] = []
    for term in sorted(terms, key=lambda term: (-term.score, -len(term.words), term.key)):
        match = next((group for group in groups if _resembles(term, group[0])), None)
        if match is None:
            groups.append([term])
        else:
            match.append(term)
    return [_labelled(group) for group in groups]


def _resembles(term: BurstingTerm, seed: BurstingTerm) -> bool:
    common = len(term.tweets & seed.tweets)
    if common == 0:
        return False
    if common / len(term.tweets | seed.tweets) >= SAME_TWEETS:
        return True
    # A much wider word ('voto') must not swallow what it was found beside ('voto en blanco').
    smaller, larger = sorted((len(term.tweets), len(seed.tweets)))
    is_wider = len(term.tweets) == larger > 1.5 * smaller
    return not is_wider and bool(term.words & seed.words) and common >= RELATED_OVERLAP * smaller


def _labelled(group: Sequence[BurstingTerm]) -> Cluster:
    tweets = frozenset().union(*(term.tweets for term in group))
    label = max(group, key=lambda term: (_informativeness(term, tweets), term.score, len(term.key), term.key))
    return Cluster(label, tuple(group), tweets)


def _informativeness(term: BurstingTerm, tweets: frozenset[int]) -> float:
    # A label must stand for most of the topic; among those that do, a tag and more words tell more.
    coverage = len(term.tweets) / len(tweets)
    return coverage * _weight(term) if coverage >= _LABEL_COVERAGE else coverage / 2


def _weight(term: BurstingTerm) -> float:
    if term.kind == "phrase":
        return 0.7 if term.is_common_word else 1 + 0.25 * (min(len(term.words), 3) - 1)
    return 1.25 if term.kind == "hashtag" else 1.0
