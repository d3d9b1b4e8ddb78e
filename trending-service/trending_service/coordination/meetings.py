"""Which accounts came together again and again, and how many pairs would by chance, within bounded memory."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from trending_service.coordination.model import Post

TOGETHER_SECONDS = 30.0
"""Two posts of one object within this time come together."""
SEPARATE_SECONDS = 120.0
"""Meetings of a pair within this time are one."""
HALF_HOUR = 1800.0
AGAIN = 2
"""Least meetings of a pair that say anything."""
RARE = 0.01
"""Chance of so many meetings up to which a pair is looked at: two busy accounts that meet often say nothing."""
CROWD = 60
"""With more posts within ``TOGETHER_SECONDS`` a moment says nothing about pairs."""
MOST_ROWS = 2000
"""Of more accounts the pairs that chance would make are estimated, from so many of them."""
_PART = 2_000_000
"""So many meetings, or pairs of accounts, are held at once."""
_TABLE = 200
"""Chances are known up to so many pairs of posts in one half hour; with more, meetings are not rare."""
Pair = tuple[str, str]
Floats = NDArray[np.float64]
Ints = NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Uses:
    """The posts of one object, oldest first: the row in ``names``, which are sorted, of who wrote each, and when."""

    names: list[str]
    writers: Ints
    at: Floats


def uses_of(posts: Sequence[Post]) -> Uses:
    """Return ``posts``, those of one object, oldest first, as arrays."""
    authors = [post.author for post in posts]
    names = sorted(set(authors))
    numbers = {name: number for number, name in enumerate(names)}
    writers = np.fromiter(map(numbers.__getitem__, authors), np.int64, len(authors))
    return Uses(names, writers, np.array([post.at for post in posts], dtype=float))


def repeated_meetings(uses: Uses) -> dict[Pair, list[float]]:
    """Return when the pairs of accounts came together that did so ``AGAIN`` times or more."""
    names = uses.names
    found: dict[Pair, list[float]] = {}
    for codes, moments in _meetings(uses.writers, uses.at):
        for code, times in _runs(codes, moments):
            one, other = divmod(code, len(names))
            found[names[one], names[other]] = times
    return found


def _meetings(writers: Ints, at: Floats) -> Iterator[tuple[Ints, Floats]]:
    """Yield pairs of accounts, each as one number, with the moment of each meeting; all of a pair at once."""
    depth = np.arange(len(at)) - np.searchsorted(at, at - TOGETHER_SECONDS)
    # Who posted once met nobody twice.
    busy = (np.bincount(writers) >= AGAIN)[writers]
    depth[(depth > CROWD) | ~busy] = 0
    parts = 1 + int(depth.sum()) // _PART
    for part in range(parts):
        codes, moments = [np.empty(0, dtype=np.int64)], [np.empty(0)]
        for back in range(1, int(depth.max()) + 1):
            later = np.flatnonzero(depth >= back)
            later = later[busy[later - back] & (writers[later] != writers[later - back])]
            first, second = np.sort([writers[later - back], writers[later]], axis=0)
            mine = first % parts == part
            codes.append((first * (int(writers.max()) + 1) + second)[mine])
            moments.append(at[later][mine])
        yield np.concatenate(codes), np.concatenate(moments)


def _runs(codes: Ints, moments: Floats) -> Iterator[tuple[int, list[float]]]:
    order = np.lexsort((moments, codes))
    codes, moments = codes[order], moments[order]
    starts = np.flatnonzero(np.diff(codes, prepend=-1))
    ends = np.append(starts[1:], len(codes))[: len(starts)]
    apart = np.flatnonzero(moments[ends - 1] - moments[starts] > SEPARATE_SECONDS)
    for start, end in zip(starts[apart].tolist(), ends[apart].tolist(), strict=True):
        yield int(codes[start]), _separate(moments[start:end].tolist())


def _separate(moments: Sequence[float]) -> list[float]:
    kept = [moments[0]]
    for at in moments:
        if at - kept[-1] > SEPARATE_SECONDS:
            kept.append(at)
    return kept


def by_half_hour(uses: Uses) -> tuple[list[str], NDArray[np.float32]]:
    """Return the accounts that may have met again, sorted, and the posts of each (row) in each half hour."""
    often = np.bincount(uses.writers, minlength=len(uses.names)) >= AGAIN
    kept = often[uses.writers]
    rows = (often.cumsum() - 1)[uses.writers[kept]]
    halves, columns = np.unique(uses.at[kept] // HALF_HOUR, return_inverse=True)
    shape = (int(often.sum()), len(halves))
    counts = np.bincount(rows * len(halves) + columns, minlength=shape[0] * shape[1]).reshape(shape)
    return [uses.names[number] for number in np.flatnonzero(often)], counts.astype(np.float32)


def chances_of_meeting(least: int) -> Floats:
    """Return the chance of ``least`` meetings or more by the number of pairs of posts in one half hour.

    The last one stands for all greater numbers.
    """
    mean = 2 * TOGETHER_SECONDS / HALF_HOUR * np.arange(_TABLE + 1, dtype=float)
    term, fewer = np.exp(-mean), np.zeros_like(mean)
    for number in range(least):
        fewer += term
        term = term * mean / (number + 1)
    # Where the difference of 1 and ``fewer`` is lost in rounding, the first term of the tail is a bound.
    return np.maximum(1 - fewer, term)


def expected_pairs(posts: NDArray[np.float32], chances: Floats) -> float:
    """Return how many rare pairs chance would make among the accounts (rows) of ``posts``.

    Pairs are looked at in blocks. Of more than ``MOST_ROWS`` accounts as many are taken, evenly from the busiest to the
    quietest, each with all others.
    """
    rare = np.where(chances <= RARE, chances, 0.0)
    rows = np.arange(len(posts))
    if len(posts) > MOST_ROWS:
        by_activity = np.argsort(posts.sum(axis=1), kind="stable")
        rows = by_activity[np.linspace(0, len(posts) - 1, MOST_ROWS).astype(int)]
    twice = 0.0
    for block in np.array_split(rows, math.ceil(len(rows) * len(posts) / _PART)):
        twice += _sum_of(rare, posts[block] @ posts.T)
        twice -= _sum_of(rare, np.square(posts[block]).sum(axis=1))
    return twice / 2 * len(posts) / len(rows)


def _sum_of(chances: Floats, products: NDArray[np.float32]) -> float:
    # Most accounts share no half hour, and the chance of these is 0.
    return float(chances[_pairs(products[products > 0])].sum())


def chances_of(posts: NDArray[np.float32], pairs: Ints, chances: Floats) -> Floats:
    """Return for each of ``pairs``, two rows of ``posts``, the chance of as many meetings as ``chances`` are for."""
    parts = np.array_split(pairs, math.ceil(pairs.size * posts.shape[1] / _PART) or 1)
    return np.concatenate([chances[_pairs((posts[part[:, 0]] * posts[part[:, 1]]).sum(axis=1))] for part in parts])


def _pairs(products: NDArray[np.float32]) -> Ints:
    return np.minimum(products, _TABLE).astype(np.int64)
