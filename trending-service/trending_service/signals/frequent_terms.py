"""The frequent terms of a window, counted without a text for each of the million that it may hold."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from trending_service.signals.counts import Ints
from trending_service.signals.model import WindowTerms

_LINE, _END = 10, 0
"""What ends a term, and a tweet: PostgreSQL stores no zero in a text."""
_WORD = 8
_MASKS = np.array([256**length - 1 for length in range(_WORD + 1)], dtype=np.uint64)
"""The first bytes of a word, by how many they are."""
_SHIFT = np.uint64(29)
_KEY = np.uint64(hash("trending_service") & (2**64 - 1) | 1)
"""Nobody else knows it, as that of Python's own hash, which it is made of."""


@dataclass(frozen=True, slots=True)
class _Uses:
    """Each use of a term: where it lies in ``text``, its length in bytes, the place of its tweet."""

    text: bytes
    starts: Ints
    lengths: Ints
    places: Ints

    def keys(self, uses: Ints) -> list[str]:
        starts = self.starts[uses]
        ends = starts + self.lengths[uses]
        return [self.text[start:end].decode() for start, end in zip(starts.tolist(), ends.tolist(), strict=True)]

    def words(self, uses: Ints, first: int) -> NDArray[np.uint64]:
        """Return the eight bytes of each use from ``first`` on, without what is behind its end."""
        words = np.ndarray(len(self.text) - _WORD + 1, "<u8", self.text, strides=(1,))
        return words[self.starts[uses] + first] & _MASKS[np.minimum(self.lengths[uses] - first, _WORD)]


def frequent_terms(tweets: Sequence[str], *, min_tweets: int, limit: int) -> WindowTerms:
    """Return the ``limit`` most frequent terms in ``min_tweets`` of ``tweets`` or more. CPU-bound.

    Of each tweet it takes the keys of its terms, one a line and each once.
    """
    uses = _uses(tweets)
    order, ordered = _by_term(uses)
    begins = np.ones(len(ordered), dtype=bool)
    begins[1:] = ordered[1:] != ordered[:-1]
    starts = np.flatnonzero(begins)
    sizes = np.diff(starts, append=len(ordered))
    often = np.flatnonzero(sizes >= min_tweets)
    if 0 < limit < len(often):
        often = often[sizes[often] >= np.partition(sizes[often], -limit)[-limit]]
    found = zip((-sizes[often]).tolist(), uses.keys(order[starts[often]]), starts[often].tolist(), strict=True)
    rows = {key: uses.places[order[start : start - less]] for less, key, start in sorted(found)[:limit]}
    return WindowTerms(len(starts), rows)


def _uses(tweets: Sequence[str]) -> _Uses:
    # Behind the last term is room for the word that is read at its end.
    text = "\0".join(tweets).encode() + bytes(1 + _WORD)
    letters = np.frombuffer(text, dtype=np.uint8)[:-_WORD]
    is_end = letters == _END
    ends = np.flatnonzero(is_end | (letters == _LINE))
    starts = np.concatenate([[0], ends[:-1] + 1])
    places = is_end[ends].cumsum() - is_end[ends]
    kept = ends > starts
    return _Uses(text, starts[kept], (ends - starts)[kept], places[kept])


def _by_term(uses: _Uses) -> tuple[Ints, NDArray[np.uint64]]:
    """Return the uses by a number of their term, those of one term in order, and that number of each."""
    hashes = _hashes(uses)
    order = np.argsort(hashes, kind="stable")
    shared = _shared(uses, order, hashes[order])
    if len(shared):
        # Whoever knows how words are mixed can write terms that are likely to have the same hash under any key.
        rows = np.flatnonzero(np.isin(hashes, shared))
        hashes[rows] = np.array([hash(key) & (2**64 - 1) for key in uses.keys(rows)], dtype=np.uint64)
        order = np.argsort(hashes, kind="stable")
    return order, hashes[order]


def _shared(uses: _Uses, order: Ints, ordered: NDArray[np.uint64]) -> NDArray[np.uint64]:
    """Return the hashes that different terms have, given the uses by their hashes."""
    same = np.flatnonzero(ordered[1:] == ordered[:-1])
    one, next_one = order[same], order[same + 1]
    differs = uses.lengths[one] != uses.lengths[next_one]
    rows = np.flatnonzero(~differs)
    for first in range(0, int(uses.lengths.max(initial=0)), _WORD):
        rows = rows[uses.lengths[one[rows]] > first]
        differs[rows] |= uses.words(one[rows], first) != uses.words(next_one[rows], first)
    return np.unique(ordered[same[differs]])


def _hashes(uses: _Uses) -> NDArray[np.uint64]:
    """Return a hash of each use, mixed word by word with the key."""
    hashes = uses.lengths.astype(np.uint64)
    rows = np.arange(len(hashes))
    for first in range(0, int(uses.lengths.max(initial=0)), _WORD):
        rows = rows[uses.lengths[rows] > first]
        mixed = (hashes[rows] ^ uses.words(rows, first)) * _KEY
        hashes[rows] = mixed ^ (mixed >> _SHIFT)
    return hashes
