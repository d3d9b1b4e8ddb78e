"""Groups passages that take the same position, by their words and, where there are vectors, by their meaning."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from rag_service.text.terms import content_keys

Matrix = NDArray[np.float64]
NEAR, FAR, MANY = 0.16, 0.03, 7
"""Groups join while their average similarity is NEAR, and while there are more than MANY of them, down to FAR.
Chosen on tweets of 2022: a lower NEAR makes one group of all that share a common word, without FAR most texts stay
alone."""


def similarities(texts: Sequence[str], asked: frozenset[str], vectors: Sequence[Sequence[float] | None]) -> Matrix:
    """Return how alike the texts are, in [-1, 1]: the mean of the cosines of their words and of their vectors.

    Words are weighed by tf-idf within ``texts``; those that were asked about are left out, since all share them.
    From the vectors their mean is taken away, for the same reason. Where a vector is missing, words alone count.
    """
    by_words = _word_cosines(texts, asked)
    known = [place for place, vector in enumerate(vectors) if vector is not None]
    if len(known) < 3:
        return by_words
    matrix = np.array([vectors[place] for place in known], dtype=np.float64)
    both = np.ix_(known, known)
    by_words[both] = (by_words[both] + _cosines(matrix - matrix.mean(axis=0))) / 2
    return by_words


def groups_of(alike: Matrix, weights: Sequence[int]) -> list[list[int]]:
    """Return groups of row numbers by average linkage, heaviest first, each with its most central member first."""
    groups = [[place] for place in range(len(alike))]
    links = alike.copy()
    np.fill_diagonal(links, -np.inf)
    while len(groups) > 1:
        one, other = divmod(int(links.argmax()), len(groups))
        if links[one, other] < (NEAR if len(groups) <= MANY else FAR):
            break
        one, other = min(one, other), max(one, other)
        _merge(links, one, other, len(groups[one]), len(groups[other]))
        links = np.delete(np.delete(links, other, axis=0), other, axis=1)
        groups[one] += groups.pop(other)
    central = [sorted(group, key=lambda place: (-alike[place, group].mean(), place)) for group in groups]
    return sorted(central, key=lambda group: (-sum(weights[place] for place in group), group[0]))


LABEL_HELD = 0.25
"""A word labels a group when this share of its texts holds it."""


def labels_of(texts: Sequence[str], groups: Sequence[Sequence[int]], asked: frozenset[str]) -> list[list[str]]:
    """Return for each group up to three words that its texts hold and the others seldom do, as they are written.

    A single text has none: its quote says what it is about.
    """
    held = [_surfaces(texts[place]) for place in range(len(texts))]
    overall = Counter(key for words in held for key in words)
    return [_label([held[place] for place in group], overall, asked, len(texts)) for group in groups]


def _label(
    held: Sequence[Mapping[str, str]], overall: Mapping[str, int], asked: frozenset[str], total: int
) -> list[str]:
    within = Counter(key for words in held for key in words if key not in asked)
    if len(held) == 1:
        return []
    least = max(2, math.ceil(len(held) * LABEL_HELD))
    scores = {
        key: count / len(held) * math.log(1 + total / overall[key]) for key, count in within.items() if count >= least
    }
    best = sorted(scores, key=lambda key: (-scores[key], key))[:3]
    return [Counter(words[key] for words in held if key in words).most_common(1)[0][0].lower() for key in best]


def _surfaces(text: str) -> dict[str, str]:
    return dict(content_keys(text))


def _word_cosines(texts: Sequence[str], asked: frozenset[str]) -> Matrix:
    counts = [Counter(key for key, _ in content_keys(text) if key not in asked) for text in texts]
    documents = Counter(key for count in counts for key in count)
    columns = {key: column for column, key in enumerate(documents)}
    matrix = np.zeros((len(texts), max(1, len(columns))))
    for row, count in enumerate(counts):
        for key, times in count.items():
            matrix[row, columns[key]] = (1 + math.log(times)) * math.log(1 + len(texts) / documents[key])
    return _cosines(matrix)


def _cosines(matrix: Matrix) -> Matrix:
    lengths = np.linalg.norm(matrix, axis=1, keepdims=True)
    unit = np.divide(matrix, lengths, out=np.zeros_like(matrix), where=lengths > 0)
    cosines: Matrix = unit @ unit.T
    return cosines


def _merge(links: Matrix, one: int, other: int, size: int, other_size: int) -> None:
    joined = (links[one] * size + links[other] * other_size) / (size + other_size)
    joined[one] = -np.inf
    links[one], links[:, one] = joined, joined
