"""What is counted: the tweets of a window as arrays, and hour by hour how often terms were used before."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Ints = NDArray[np.int64]
Ints32 = NDArray[np.int32]
Floats = NDArray[np.float64]

DAY_HOURS, WEEK_HOURS = 24, 168


@dataclass(frozen=True, slots=True)
class WindowPosts:
    """The tweets of a window, near-duplicates left out.

    ``ages`` are seconds before the end of the window; ``hours`` the hour since 1970 (UTC) in which each was written;
    ``authors`` a number for the account whose words they are, ``hands`` for the account that surely stands behind them,
    where that is another of any. The accounts of a suspected group share a number below zero.
    """

    seconds: int
    ages: Ints
    hours: Ints
    authors: Ints
    hands: Ints | None = None

    @property
    def told(self) -> list[Ints]:
        """Return the accounts of all tweets, in each of the ways that they are told; by whose words they are first."""
        return [each for each in (self.authors, self.hands) if each is not None]

    def accounts(self, rows: Ints) -> list[Ints]:
        """Return the accounts of ``rows``, in each of the ways that they are told."""
        return [each[rows] for each in self.told]

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
    terms: Mapping[str, tuple[Ints | Ints32 | Sequence[int], Ints | Ints32 | Sequence[int]]]

    @property
    def total(self) -> int:
        """Return the tweets of the whole stream."""
        return int(self.stream.sum())

    def seen(self, term: str) -> int:
        """Return the tweets that used ``term``."""
        return int(np.sum(self.terms[term][1])) if term in self.terms else 0


@dataclass(frozen=True, slots=True)
class Packed:
    """Counts as PostgreSQL returns them: ``hours`` are pairs of int4, an hour since 1970 and its tweets.

    ``owners`` are pairs of int4 as well, for one term after the other: its number from 1 and the bytes of ``hours``
    that are its own. ``kept`` tells whether they were counted before. Without ``owners`` these are stale hours. What is
    said of the days ``without``, since 1970, does not count.
    """

    kept: bool
    owners: bytes | None
    hours: bytes
    without: Sequence[int] = ()

    def of_terms(self) -> tuple[Ints32, Ints32]:
        """Return the places of the terms from 0, and the pairs that each belongs to: hours (row 0) and tweets."""
        owners = _pairs(self.owners or b"")
        return np.repeat(owners[0] - 1, owners[1] // PAIR_BYTES), _pairs(self.hours)

    def by_term(self, terms: Sequence[str]) -> dict[str, bytes]:
        """Return the pairs of each of ``terms``, whose numbers the owners are; of one without any nothing."""
        places, _ = self.of_terms()
        hours = np.frombuffer(self.hours, dtype=np.int64)[np.argsort(places, kind="stable")].tobytes()
        ends = (PAIR_BYTES * np.bincount(places, minlength=len(terms)).cumsum()).tolist()
        return {term: hours[start:end] for term, start, end in zip(terms, [0, *ends], ends, strict=False)}


def packed_of(terms: Sequence[str], hours: Mapping[str, bytes], without: Sequence[int]) -> Packed:
    """Return the pairs of ``terms``, where there are any, that were counted before."""
    sizes = np.array([len(hours.get(term, b"")) for term in terms], dtype=np.int64)
    owners = np.stack([np.arange(1, 1 + len(terms)), sizes], axis=1).astype(">i4").tobytes()
    return Packed(True, owners, b"".join(hours.get(term, b"") for term in terms), without)


@dataclass(frozen=True, slots=True)
class PackedCounts:
    """Counts of the hours since 1970 from ``first_hour`` up to ``end_hour``, of the stream and of ``terms``.

    What was kept of a stale hour does not count: it was counted anew.
    """

    first_hour: int
    end_hour: int
    stream: Mapping[int, int]
    terms: Sequence[str]
    packed: Sequence[Packed]

    def unpack(self) -> HourlyCounts:
        """Return them as arrays. CPU-bound."""
        whole = np.zeros(self.end_hour - self.first_hour, dtype=np.int64)
        whole[[hour - self.first_hour for hour in self.stream]] = list(self.stream.values())
        return HourlyCounts(self.first_hour, whole, self._terms())

    def _terms(self) -> dict[str, tuple[Ints32, Ints32]]:
        stale = np.concatenate([_NONE, *(_pairs(one.hours)[0] for one in self.packed if one.owners is None)])
        parts = [self._counting(one, stale) for one in self.packed if one.owners is not None]
        places = np.concatenate([_NONE, *(places for places, _ in parts)])
        pairs = np.concatenate([_NONE.reshape(2, 0), *(pairs for _, pairs in parts)], axis=1)
        hours, tweets = pairs.take(np.argsort(places, kind="stable"), axis=1)
        ends = np.bincount(places, minlength=len(self.terms)).cumsum().tolist()
        bounds = zip(self.terms, [0, *ends], ends, strict=False)
        return {term: (hours[start:end], tweets[start:end]) for term, start, end in bounds if end > start}

    def _counting(self, packed: Packed, stale: Ints32) -> tuple[Ints32, Ints32]:
        places, pairs = packed.of_terms()
        counts = (pairs[0] >= self.first_hour) & (pairs[0] < self.end_hour)
        if packed.kept and len(stale):
            counts &= ~np.isin(pairs[0], stale)
        if len(packed.without):
            counts &= ~np.isin(pairs[0] // DAY_HOURS, packed.without)
        return places[counts], pairs.compress(counts, axis=1)


_NONE: Ints32 = np.zeros(0, dtype=np.int32)
PAIR_BYTES = 8


def _pairs(packed: bytes) -> Ints32:
    return np.frombuffer(packed, dtype=">i4").reshape(-1, 2).T.astype(np.int32, order="C")
