"""Groups terms of one subject into one topic, labelled by the most informative of them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from trending_service.text.terms import Kind, letters, numbers_of, words_by_stem

SAME_TWEETS = 0.4
"""Jaccard similarity of tweets from which two terms are one topic."""
SAME_AS_WORD = 0.7
"""The same for a lone common word in more tweets, such as the verb that the supporters of all candidates use."""
RELATED_OVERLAP = 0.5
"""Overlap coefficient from which terms that share a word are one topic ('debate', '#Debate2022')."""
RELATED_TWEETS = 2
"""Tweets that two such terms have in common at least: one that names both rivals does not make them one topic."""
TOLD_BY_OTHERS = 0.8
"""Share of its tweets in narrower topics ('vota Ana', 'vota Luis') from which a lone common word is none of its own."""
MOSTLY_WITHIN, MORE_THAN_CHANCE = 0.6, 1.5
"""A lone common word is part of the topic that so much of its tweets belong to, and so many times more than chance."""
_LABEL_COVERAGE = 0.5


@dataclass(frozen=True, slots=True)
class BurstingTerm:
    """A term that bursts: its most frequent spelling, its words' stems, its score, the ids of its tweets."""

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


def cluster(terms: Iterable[BurstingTerm], tweets: int = 0) -> list[Cluster]:
    """Return the topics of these terms, strongest first; the same for any order of ``terms``.

    A term joins the topic of the strongest term before it that it resembles, or begins one of its own; lone common
    words come last. ``tweets`` counts those of the window, also without any of these terms.
    """
    groups: list[list[BurstingTerm]] = []
    for term in sorted(terms, key=lambda term: (term.is_common_word, -term.score, -len(term.words), term.key)):
        match = next((group for group in groups if _resembles(term, group[0])), None)
        if match is None:
            groups.append([term])
        else:
            match.append(term)
    groups = _with_common_words(groups, tweets)
    topics = [_labelled(group) for group in groups if not _is_told(group, groups)]
    return sorted(topics, key=lambda topic: (-topic.label.score, topic.label.key))


def _with_common_words(groups: Sequence[list[BurstingTerm]], tweets: int) -> list[list[BurstingTerm]]:
    """Return the groups; those of a common word ('conmemoramos') join the one that they mostly belong to."""
    named = [list(group) for group in groups if not group[0].is_common_word]
    bursting = frozenset().union(*(term.tweets for group in groups for term in group))
    everything = max(tweets, len(bursting))
    alone = []
    for group in (group for group in groups if group[0].is_common_word):
        home = next((other for other in named if _is_within(group[0], other[0], everything)), None)
        if home is None:
            alone.append(group)
        else:
            home.extend(group)
    return named + alone


def _is_within(word: BurstingTerm, seed: BurstingTerm, everything: int) -> bool:
    common = len(word.tweets & seed.tweets)
    by_chance = len(word.tweets) * len(seed.tweets) / everything
    return common >= MOSTLY_WITHIN * len(word.tweets) and common >= MORE_THAN_CHANCE * by_chance


def _is_told(group: Sequence[BurstingTerm], groups: Sequence[Sequence[BurstingTerm]]) -> bool:
    if not group[0].is_common_word:
        return False
    tweets = group[0].tweets
    narrower = [
        other[0].tweets for other in groups
        if not other[0].is_common_word and len(other[0].tweets & tweets) >= TOLD_BY_OTHERS * len(other[0].tweets)
    ]  # fmt: skip
    return len(tweets & frozenset().union(*narrower)) >= TOLD_BY_OTHERS * len(tweets)


def is_variant(term: BurstingTerm, other: BurstingTerm) -> bool:
    """Tell whether two terms are one name in two forms: '#BenitoJuárez', 'Benito Juárez'; 'impuesto', 'impuestos'.

    Who writes one seldom writes the other, so their tweets say nothing. 'puerto' and 'puerta' are two words,
    'Mario Castro' and 'María Castro' two people, '#Debate2018' and '#Debate2022' two names, 'marcha por' and
    'marcha contra' two subjects. 'presidente' and 'presidenta', 'candidato' and 'candidata' are two as well: in an
    election they are different people. Where they stand in the same tweets, these make one topic of them.
    """
    numbers, others = numbers_of(term.spelling), numbers_of(other.spelling)
    if letters(term.spelling) == letters(other.spelling):
        return numbers == others
    mine, theirs = words_by_stem(term.spelling), words_by_stem(other.spelling)
    if not mine or mine.keys() != theirs.keys():
        return False
    if any(_is_other_word(word, theirs[stem]) for stem, word in mine.items()):
        return False
    return not numbers or not others or numbers == others


def _is_other_word(one: str, other: str) -> bool:
    # Of two words with one stem: 'puerto' and 'puerta', 'Manuel' and 'Manuela', not 'quema' and 'quemar'.
    return one != other and (one[:-1] == other[:-1] or one + "a" == other or other + "a" == one)


def _resembles(term: BurstingTerm, seed: BurstingTerm) -> bool:
    if is_variant(term, seed):
        return True
    common = len(term.tweets & seed.tweets)
    if common == 0:
        return False
    if common / (len(term.tweets) + len(seed.tweets) - common) >= _needed_similarity(term, seed):
        return True
    # A much wider word ('voto') must not swallow what it was found beside ('voto en blanco').
    smaller, larger = sorted((len(term.tweets), len(seed.tweets)))
    is_wider = len(term.tweets) == larger > 1.5 * smaller
    if is_wider or common < RELATED_TWEETS or common < RELATED_OVERLAP * smaller:
        return False
    return bool(term.words & seed.words)


def _needed_similarity(term: BurstingTerm, seed: BurstingTerm) -> float:
    is_wider_word = term.is_common_word and len(term.tweets) > len(seed.tweets)
    return SAME_AS_WORD if is_wider_word else SAME_TWEETS


def _labelled(group: Sequence[BurstingTerm]) -> Cluster:
    tweets = frozenset().union(*(term.tweets for term in group))
    label = max(group, key=lambda term: (_informativeness(term, tweets), term.score, len(term.key), term.key))
    return Cluster(label, tuple(sorted(group, key=lambda term: (-term.score, term.key))), tweets)


def _informativeness(term: BurstingTerm, tweets: frozenset[int]) -> float:
    # A label must stand for most of the topic; among those that do, a tag and more words tell more.
    coverage = len(term.tweets) / len(tweets)
    return coverage * _weight(term) if coverage >= _LABEL_COVERAGE else coverage / 2


def _weight(term: BurstingTerm) -> float:
    if term.kind == "phrase":
        return 0.7 if term.is_common_word else 1 + 0.25 * (min(len(term.words), 3) - 1)
    return {"hashtag": 1.25, "mention": 1.0}.get(term.kind, 0.6)
