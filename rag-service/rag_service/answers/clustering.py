"""Groups passages that take the same position, by their words and, where there are vectors, by their meaning."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from rag_service.text.terms import content_keys

Matrix = NDArray[np.float64]
FIRST_GROUPS, MOST_GROUPS = 8, 5
"""So many groups are made at first, and so many are left: what the others hold goes to the nearest of these."""
LEAST_GAIN = 0.02
"""A further group is made while it stands for this share of all that is said, beside those before it."""
SAME = 0.35
"""Passages as alike as this say the same: one of them stands for both."""
ONE_MEANING = 0.8
"""So do those whose vectors have this cosine,"""
USUAL, SHARED = 0.1, 0.75
"""and those that share this second part of their usual words, which stand in the first part of all texts, where these
are half of the words of each."""
LEAST = 0.03
"""What is less alike than this to the one that stands for its group is in none.
All were chosen on the tuned questions of bench/rag."""
OF_WORDS = 0.3
"""What the cosine of the words counts beside that of the vectors."""
ONE_POSITION, ONE_MEANING_OF_GROUPS = 0.6, 0.8
"""Two groups are one where the mean likeness between them is this share of that within them; and where the mean cosine
of their vectors, from which the mean of all is not taken away, is this share: where all say the same, none is apart."""
ONE_BY_ITSELF = 0.62
"""The cosine within a group of one, for that comparison."""
NEARLY = 0.7
"""What is in no group goes to the nearest in meaning, if the cosine to it is this share of that within it."""
FEW_GROUPS = 3
"""So many groups stay apart however alike they are in that comparison."""
LEAST_SHARE, LEAST_GROUPS = 0.1, 2
"""A group of less than this share of what is said is shared out too, beside so many."""
OPPOSED = 0.05
"""How much less alike texts of opposite sentiment are: what one praises and the other blames is no common position."""
_ROUNDS = 5
_LEAST_OF_MEAN = 3


def similarities(
    texts: Sequence[str],
    asked: frozenset[str],
    vectors: Sequence[Sequence[float] | None],
    labels: Sequence[str | None] = (),
) -> Matrix:
    """Return how alike the texts are, in [-1, 1]: the weighed mean of the cosines of their words and of their vectors.

    Words are weighed by tf-idf within ``texts``; those that were asked about are left out, since all share them.
    From the vectors their mean is taken away, for the same reason; cosines are then 1 / (n - 1) too low on average,
    which is made good. Where a vector is missing, words alone count. Texts whose ``labels`` of sentiment are opposite
    are less alike, and never the same.
    """
    words = [Counter(key for key, _ in content_keys(text) if key not in asked) for text in texts]
    alike = _word_cosines(words)
    known = [place for place, vector in enumerate(vectors) if vector is not None]
    same = _same_wording(words)
    if len(known) >= _LEAST_OF_MEAN:
        both = np.ix_(known, known)
        matrix = np.array([vectors[place] for place in known], dtype=np.float64)
        by_meaning = _cosines(matrix - matrix.mean(axis=0)) + 1 / (len(known) - 1)
        alike[both] = OF_WORDS * alike[both] + (1 - OF_WORDS) * by_meaning
        same[both] |= _cosines(matrix) >= ONE_MEANING
    against = _opposed(labels or [None] * len(texts))
    alike = np.where(same, np.maximum(alike, 2 * SAME), alike)
    return np.where(against, np.minimum(alike, SAME) - OPPOSED, alike)


def meanings(vectors: Sequence[Sequence[float] | None], labels: Sequence[str | None] = ()) -> Matrix | None:
    """Return the cosines of ``vectors``, less for texts of opposite sentiment; None where a vector is missing."""
    known = [vector for vector in vectors if vector is not None]
    if not known or len(known) < len(vectors):
        return None
    against = _opposed(labels or [None] * len(known))
    return _cosines(np.array(known, dtype=np.float64)) - OPPOSED * against


def _same_wording(words: Sequence[Mapping[str, int]]) -> NDArray[np.bool_]:
    """Return which texts are the same but for words that few others hold: names of places, a first exclamation."""
    documents = Counter(key for text in words for key in text)
    usual = [key for key, count in documents.items() if count >= max(2, USUAL * len(words))]
    held = np.array([[key in text for key in usual] for text in words], dtype=np.float64).reshape(len(words), -1)
    shared = held @ held.T
    sizes, lengths = held.sum(axis=1), np.array([len(text) for text in words])
    either = sizes[:, None] + sizes[None, :] - shared
    same: NDArray[np.bool_] = (shared >= np.maximum(2, SHARED * either)) & (
        shared >= np.maximum(lengths[:, None], lengths[None, :]) / 2
    )
    return same


def _opposed(labels: Sequence[str | None]) -> NDArray[np.bool_]:
    """Return which texts are of opposite sentiment: one positive, the other negative."""
    positive, negative = (np.array([label == one for label in labels]) for one in ("positive", "negative"))
    either: NDArray[np.bool_] = positive[:, None] & negative[None, :]
    return either | either.T


def groups_of(
    alike: Matrix, weights: Sequence[float], seeds: Sequence[int] = (), meaning: Matrix | None = None
) -> list[list[int]]:
    """Return groups of row numbers, heaviest first, each with the one that stands for it first; some are in none.

    Those that stand for groups are chosen one by one, each so that all together are most alike to everything, by weight
    (greedy facility location, Nemhauser et al. 1978), and then moved to the middle of their group (k-medoids). So what
    two groups say differs, and what has nothing to do with any is not counted to one. The ``seeds`` are chosen first,
    however little they stand for, and have a group. ``meaning`` tells how alike texts are whatever all of them share.
    """
    near = np.clip(alike, 0.0, None)
    np.fill_diagonal(near, 1.0)
    heavy = np.asarray(weights, dtype=np.float64)
    chosen = _first_of_groups(near, heavy, seeds)
    groups = _around(chosen, near)
    for _ in range(_ROUNDS):
        middle = [max(group, key=lambda place: (near[place, group] @ heavy[group], -place)) for group in groups]
        middle = _apart(middle, near)
        if middle == chosen:
            break
        chosen, groups = middle, _around(middle, near)
    needed = frozenset(seeds)
    groups = _joined(groups, near, ONE_POSITION, SAME)
    if meaning is not None:
        groups = _joined(groups, meaning, ONE_MEANING_OF_GROUPS, ONE_BY_ITSELF, FEW_GROUPS)
    ranked = sorted(groups, key=lambda group: (needed.isdisjoint(group), -heavy[group].sum()))
    large = [not needed.isdisjoint(group) or heavy[group].sum() >= LEAST_SHARE * heavy.sum() for group in ranked]
    groups = _shared_out(ranked, near, min(MOST_GROUPS, max(LEAST_GROUPS, sum(large))))
    if meaning is not None:
        groups = _with_the_rest(groups, meaning)
    return sorted(groups, key=lambda group: (-heavy[group].sum(), group[0]))


def _apart(chosen: Sequence[int], near: Matrix) -> list[int]:
    """Return those of ``chosen`` that do not say the same as one before them."""
    kept: list[int] = []
    for place in chosen:
        if not kept or near[place, kept].max() <= SAME:
            kept.append(place)
    return kept


def _first_of_groups(near: Matrix, heavy: Matrix, seeds: Sequence[int]) -> list[int]:
    chosen = list(seeds)
    stood_for = near[:, chosen].max(axis=1, initial=0.0)
    while len(chosen) < min(FIRST_GROUPS, len(near)):
        gains = heavy @ np.maximum(near - stood_for[:, None], 0.0)
        gains[[place for place in range(len(near)) if chosen and near[place, chosen].max() > SAME]] = -1.0
        best = int(gains.argmax())
        if chosen and gains[best] < LEAST_GAIN * heavy.sum():
            break
        chosen.append(best)
        stood_for = np.maximum(stood_for, near[:, best])
    return chosen


def _around(chosen: Sequence[int], near: Matrix) -> list[list[int]]:
    """Return for each chosen one those that are more alike to it than to the others, most alike first."""
    nearest = near[:, chosen].argmax(axis=1)
    members = [
        [place for place in range(len(near)) if nearest[place] == number and near[place, one] >= LEAST]
        for number, one in enumerate(chosen)
    ]
    return [
        sorted(group, key=lambda place: (place != one, -near[place, one], place))
        for one, group in zip(chosen, members, strict=True)
        if group
    ]


def _joined(groups: Sequence[list[int]], near: Matrix, share: float, of_one: float, fewest: int = 1) -> list[list[int]]:
    """Return the groups, those as one that are nearly as alike to each other, by ``share``, as each is in itself; a
    single text is as like itself as ``of_one``. At least ``fewest`` are left, if there are so many."""
    kept = list(groups)
    while True:
        pairs = [
            (_between(kept[one], kept[other], near) / _within(kept[one], kept[other], near, of_one), one, other)
            for one in range(len(kept))
            for other in range(one + 1, len(kept))
        ]
        most, one, other = max(pairs, default=(0.0, 0, 0))
        if most < share or len(kept) <= fewest:
            return kept
        kept[one] = kept[one] + kept.pop(other)


def _shared_out(ranked: Sequence[list[int]], near: Matrix, number: int) -> list[list[int]]:
    """Return the first ``number``; what the others hold goes to the one that it is most like, if it is like any."""
    kept = [list(group) for group in ranked[:number]]
    for place in (place for group in ranked[number:] for place in group):
        likeness, nearest = max((float(near[place, group].mean()), number) for number, group in enumerate(kept))
        if likeness >= LEAST:
            kept[nearest].append(place)
    return kept


def _with_the_rest(groups: Sequence[list[int]], meaning: Matrix) -> list[list[int]]:
    """Return the groups with what is in none, each in that most like it in meaning, if NEARLY as its members."""
    grouped = frozenset(place for group in groups for place in group)
    kept = [list(group) for group in groups]
    for place in (place for place in range(len(meaning)) if place not in grouped):
        likeness, nearest = max(
            (_between([place], group, meaning) / _within(group, group, meaning, ONE_BY_ITSELF), number)
            for number, group in enumerate(groups)
        )
        if likeness >= NEARLY:
            kept[nearest].append(place)
    return kept


def _between(one: Sequence[int], other: Sequence[int], near: Matrix) -> float:
    return float(near[np.ix_(one, other)].mean())


def _within(one: Sequence[int], other: Sequence[int], near: Matrix, of_one: float) -> float:
    """Return how alike the members of each of two groups are, on average."""
    means = [
        (float(near[np.ix_(group, group)].sum()) - len(group)) / (len(group) * (len(group) - 1))
        if len(group) > 1
        else of_one
        for group in (one, other)
    ]
    return max(sum(means) / 2, LEAST)


def _word_cosines(words: Sequence[Mapping[str, int]]) -> Matrix:
    documents = Counter(key for text in words for key in text)
    columns = {key: column for column, key in enumerate(documents)}
    matrix = np.zeros((len(words), max(1, len(columns))))
    for row, text in enumerate(words):
        for key, times in text.items():
            matrix[row, columns[key]] = (1 + math.log(times)) * math.log(1 + len(words) / documents[key])
    return _cosines(matrix)


def _cosines(matrix: Matrix) -> Matrix:
    lengths = np.linalg.norm(matrix, axis=1, keepdims=True)
    unit = np.divide(matrix, lengths, out=np.zeros_like(matrix), where=lengths > 0)
    cosines: Matrix = unit @ unit.T
    return cosines
