"""What is counted: the tweets of a window as arrays, and hour by hour how often terms were used before."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Ints = NDArray[np.int64]
Floats = NDArray[np.float64]

WEEK_HOURS = 168


@dataclass(frozen=True, slots=True)
class WindowPosts:
    """The tweets of a window, near-duplicates left out.

    ``ages`` are seconds before the end of the window; ``hours`` the hour since 1970 (UTC) in which each was written;
    ``authors`` a number for each account. The accounts of a suspected group share a number below zero.
    """

    seconds: int
    ages: Ints
    hours: Ints
    authors: Ints

    @property
    def size(self) -> int:
        """Return the number of tweets."""
        return len(self.ages)

    def voices(self, rows: Ints) -> Ints:
        """Return those of ``rows`` that count: of each suspected group only its first tweet."""
        writers = self.authors[rows]
        if not (writers < 0).any():
            return rows
        first = np.zeros(len(rows), dtype=bool)
        first[np.unique(writers, return_index=True)[1]] = True
        return np.asarray(rows[first | (writers >= 0)])


@dataclass(frozen=True, slots=True)
class HourlyCounts:
    """Tweets an hour before the window: of the whole stream, and of each term with any.

    ``first_hour`` is the hour since 1970 of the first number. ``terms`` holds (hours, tweets) of each term.
    """

    first_hour: int
    stream: Ints
    terms: Mapping[str, tuple[Ints | Sequence[int], Ints | Sequence[int]]]

    @property
    def total(self) -> int:
        """Return the tweets of the whole stream."""
        return int(self.stream.sum())

    def seen(self, term: str) -> int:
        """Return the tweets that used ``term``."""
        return int(np.sum(self.terms[term][1])) if term in self.terms else 0


@dataclass(frozen=True, slots=True)
class PackedCounts:
    """Counts of the hours since 1970 from ``first_hour`` up to ``end_hour``, as PostgreSQL returns them.

    Each of ``rows`` is a term, whether it was kept, and pairs of int4: hours and tweets. What was kept of an hour does
    not count when the row without a term names that hour: it was counted anew, in a row that was not kept.
    """

    first_hour: int
    end_hour: int
    stream: Mapping[int, int]
    rows: Sequence[tuple[str | None, bool, bytes]]

    def unpack(self) -> HourlyCounts:
        """Return them as arrays. CPU-bound."""
        whole = np.zeros(self.end_hour - self.first_hour, dtype=np.int64)
        whole[[hour - self.first_hour for hour in self.stream]] = list(self.stream.values())
        return HourlyCounts(self.first_hour, whole, self._terms())

    def _terms(self) -> dict[str, tuple[Ints, Ints]]:
        stale = [_pairs(packed)[:, 0] for term, _, packed in self.rows if term is None]
        rows = [(term, kept, packed) for term, kept, packed in self.rows if term is not None]
        names: dict[str, int] = {}
        sizes = [len(packed) // PAIR_BYTES for *_, packed in rows]
        numbers = np.repeat([names.setdefault(term, len(names)) for term, *_ in rows] or _NONE, sizes or _NONE)
        was_kept = np.repeat([kept for _, kept, _ in rows] or _NONE.astype(bool), sizes or _NONE)
        pairs = _pairs(b"".join(packed for *_, packed in rows))
        counts = (pairs[:, 0] >= self.first_hour) & (pairs[:, 0] < self.end_hour)
        counts &= ~(was_kept & np.isin(pairs[:, 0], np.concatenate(stale or [_NONE])))
        numbers, pairs = numbers[counts], pairs[counts]
        pairs = pairs[np.argsort(numbers, kind="stable")]
        ends = np.bincount(numbers, minlength=len(names)).cumsum()
        parts = zip(names, np.split(pairs, ends[:-1]), strict=False)
        return {name: (part[:, 0], part[:, 1]) for name, part in parts if len(part)}


_NONE: Ints = np.zeros(0, dtype=np.int64)
PAIR_BYTES = 8


def _pairs(packed: bytes) -> Ints:
    return np.frombuffer(packed, dtype=">i4").reshape(-1, 2).astype(np.int64)
