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
    terms: Mapping[str, tuple[Sequence[int], Sequence[int]]]

    @property
    def total(self) -> int:
        """Return the tweets of the whole stream."""
        return int(self.stream.sum())

    def seen(self, term: str) -> int:
        """Return the tweets that used ``term``."""
        return sum(self.terms[term][1]) if term in self.terms else 0
