"""A stream in memory, asked at any moment as the service asks PostgreSQL."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from bench.trending.generator import Tweet
from trending_service.detection.clusters import BurstingTerm, Cluster, cluster
from trending_service.signals.counts import HourlyCounts, WindowPosts
from trending_service.text.terms import Kind, kind_of, retweeted, terms_of, text_hash, words_of

Ints = NDArray[np.int64]


@dataclass(frozen=True)
class Question:
    """What a detector is given at one moment."""

    window: WindowPosts
    terms: dict[str, Ints]
    """Terms of at least ``min_tweets`` tweets: the numbers of these in the window."""
    counts: HourlyCounts
    distinct: int
    ids: Ints
    """Number in the stream of each tweet of the window."""


def voice_of(tweet: Tweet) -> str:
    """Return the account whose words these are."""
    return retweeted(tweet.text) or tweet.author


class MemoryStream:
    """Tweets in order of time, their terms, and counts by hour."""

    def __init__(self, tweets: list[Tweet]) -> None:
        self.tweets = tweets
        self.times = np.array([tweet.at for tweet in tweets])
        names: dict[str, int] = {}
        self.authors = np.array([names.setdefault(voice_of(tweet), len(names)) for tweet in tweets])
        self.author_numbers = names
        self.hashes = np.array([text_hash(tweet.text) for tweet in tweets])
        self.keys: list[str] = []
        self.spellings: list[tuple[Kind, str]] = []
        self._index(tweets)
        self._count()

    def _index(self, tweets: list[Tweet]) -> None:
        numbers: dict[str, int] = {}
        ends, flat = [0], []
        for tweet in tweets:
            for key, spelling in terms_of(tweet.text).items():
                if key not in numbers:
                    numbers[key] = len(numbers)
                    self.keys.append(key)
                    self.spellings.append((kind_of(key), spelling))
                flat.append(numbers[key])
            ends.append(len(flat))
        self.ends, self.flat, self.numbers = np.array(ends), np.array(flat), numbers

    def _count(self) -> None:
        # Near-duplicates count once an hour, as in the service.
        hours = (self.times // 3600).astype(np.int64)
        self.hours = hours
        firsts = np.unique(np.stack([hours, self.hashes]), axis=1, return_index=True)[1]
        self.stream_hours = hours[firsts]
        lengths = np.diff(self.ends)
        kept = np.isin(np.arange(len(hours)), firsts)
        owner = np.repeat(np.arange(len(hours)), lengths)
        mask = kept[owner]
        pairs = np.stack([self.flat[mask], hours[owner[mask]]])
        found, tweets = np.unique(pairs, axis=1, return_counts=True)
        self._bounds = np.searchsorted(found[0], np.arange(len(self.keys) + 1))
        self._hours, self._tweets = found[1], tweets

    def is_own(self, number: int) -> bool:
        """Tell whether a tweet is no retweet."""
        return retweeted(self.tweets[number].text) is None

    def keys_of(self, number: int) -> list[str]:
        """Return the terms of a tweet."""
        return [self.keys[term] for term in self.flat[self.ends[number] : self.ends[number + 1]]]

    def ask(self, at: float, seconds: int, *, min_tweets: int = 5, baseline_days: int = 28,
            groups: Mapping[int, int] | None = None) -> Question:  # fmt: skip
        """Return what there is in the ``seconds`` before ``at``; ``groups`` maps accounts to one of their group."""
        first, last = np.searchsorted(self.times, [at - seconds, at], side="right")
        inside = np.arange(first, last)
        ids = inside[np.sort(np.unique(self.hashes[first:last], return_index=True)[1])] if len(inside) else inside
        authors = np.array([groups.get(int(a), int(a)) for a in self.authors[ids]]) if groups else self.authors[ids]
        window = WindowPosts(seconds, (at - self.times[ids]).astype(np.int64), self.hours[ids], authors)
        terms, distinct = self._terms(ids, min_tweets)
        end = int((at - seconds) // 3600)
        counts = self._counts(terms, end - 24 * baseline_days, end)
        return Question(window, terms, counts, distinct, ids)

    def _terms(self, ids: Ints, min_tweets: int) -> tuple[dict[str, Ints], int]:
        if len(ids) == 0:
            return {}, 0
        lengths = self.ends[ids + 1] - self.ends[ids]
        owners = np.repeat(np.arange(len(ids)), lengths)
        starts = np.repeat(self.ends[ids] - np.concatenate([[0], np.cumsum(lengths)[:-1]]), lengths)
        flat = self.flat[np.arange(int(lengths.sum())) + starts]
        order = np.argsort(flat, kind="stable")
        values, begins, sizes = np.unique(flat[order], return_index=True, return_counts=True)
        found = {
            self.keys[value]: owners[order[begin : begin + size]]
            for value, begin, size in zip(values, begins, sizes, strict=True)
            if size >= min_tweets
        }
        return found, len(values)

    def _counts(self, terms: Mapping[str, Ints], first: int, end: int) -> HourlyCounts:
        inside = self.stream_hours[(self.stream_hours >= first) & (self.stream_hours < end)]
        found = {}
        for term in terms:
            number = self.numbers[term]
            part = slice(self._bounds[number], self._bounds[number + 1])
            hours, tweets = self._hours[part], self._tweets[part]
            kept = (hours >= first) & (hours < end)
            found[term] = (hours[kept].tolist(), tweets[kept].tolist())
        return HourlyCounts(first, np.bincount(inside - first, minlength=end - first), found)

    def topics(self, question: Question, scores: Mapping[str, float]) -> list[Cluster]:
        """Return the terms that a detector found, grouped as the service groups them, strongest first."""
        terms = [self._bursting(question, term, score) for term, score in scores.items()]
        return cluster(terms, len(question.ids))

    def _bursting(self, question: Question, term: str, score: float) -> BurstingTerm:
        kind, spelling = self.spellings[self.numbers[term]]
        return BurstingTerm(term, kind, spelling, words_of(spelling), score, frozenset(question.terms[term].tolist()))


Detector = Callable[[Question], Mapping[str, float]]
"""Returns the score of each term that it takes for a burst."""
