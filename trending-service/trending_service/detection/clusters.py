"""Terms that speak of one thing become one topic, under the label that tells most."""

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
class Hit:
    """A term that bursts: how it is mostly spelt, the words in it, its score, the ids of its tweets."""

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

    label: Hit
    members: tuple[Hit, ...]
    tweets: frozenset[int]


def cluster(hits: Iterable[Hit]) -> list[Cluster]:
    """Return the topics of these terms, strongest first; the same for any order of ``hits``.

    A term joins the topic of the strongest term before it that it resembles, or begins one of its own.
    """
    groups: list[list[Hit]] = []
    for hit in sorted(hits, key=lambda h: (-h.score, -len(h.words), h.key)):
        home = next((group for group in groups if _resembles(hit, group[0])), None)
        if home is None:
            groups.append([hit])
        else:
            home.append(hit)
    return [_named(group) for group in groups]


def _resembles(hit: Hit, seed: Hit) -> bool:
    common = len(hit.tweets & seed.tweets)
    if common == 0:
        return False
    if common / len(hit.tweets | seed.tweets) >= SAME_TWEETS:
        return True
    # A much wider word ('voto') must not swallow what it was found beside ('voto en blanco').
    smaller, larger = sorted((len(hit.tweets), len(seed.tweets)))
    is_wider = len(hit.tweets) == larger > 1.5 * smaller
    return not is_wider and bool(hit.words & seed.words) and common >= RELATED_OVERLAP * smaller


def _named(group: Sequence[Hit]) -> Cluster:
    tweets = frozenset().union(*(hit.tweets for hit in group))
    label = max(group, key=lambda hit: (_informs(hit, tweets), hit.score, len(hit.key), hit.key))
    return Cluster(label, tuple(group), tweets)


def _informs(hit: Hit, tweets: frozenset[int]) -> float:
    # A label must stand for most of the topic; among those that do, a tag and more words tell more.
    coverage = len(hit.tweets) / len(tweets)
    return coverage * _weight(hit) if coverage >= _LABEL_COVERAGE else coverage / 2


def _weight(hit: Hit) -> float:
    if hit.kind == "phrase":
        return 0.7 if hit.is_common_word else 1 + 0.25 * (min(len(hit.words), 3) - 1)
    return 1.25 if hit.kind == "hashtag" else 1.0
