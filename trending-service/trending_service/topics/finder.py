"""From a question about a moment to topics: test every term, merge terms of one subject, describe the topics."""

from __future__ import annotations

import asyncio
import math
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any

import numpy as np

from trending_service.coordination.model import group_numbers
from trending_service.coordination.service import CoordinationService
from trending_service.detection.burst import log10_tail
from trending_service.detection.clusters import BurstingTerm, Cluster, cluster
from trending_service.detection.crowd import crowds_of
from trending_service.detection.expectation import expectations
from trending_service.detection.scan import Burst, Detection, detect, looks_of, scales
from trending_service.signals.counts import PackedCounts, WindowPosts
from trending_service.signals.frequent_terms import frequent_terms
from trending_service.signals.hours_repository import HoursRepository
from trending_service.signals.model import Spelling, Window, WindowTerms, WindowTweets
from trending_service.signals.repository import SignalRepository
from trending_service.text.terms import words_of
from trending_service.topics.description import describe, length_of
from trending_service.topics.evidence import Evidence
from trending_service.topics.model import Method, Question, Topic, TopicList

MAX_TERMS = 400
"""Strongest terms that are clustered into topics."""
COMMON_WORD_SCORE = 3.0
"""Least score of a topic whose label is a lone common word; it also needs three tweets and two accounts."""
MOST_NEEDED = 500
InThread = Callable[..., Awaitable[Any]]


@dataclass(frozen=True, slots=True)
class Finder:
    """Finds topics; CPU work runs in threads."""

    signals: SignalRepository
    hours: HoursRepository
    coordination: CoordinationService
    method: Method
    in_thread: InThread

    async def find(self, question: Question) -> TopicList:
        """Return the topics of a question, strongest first. Tweets created after ``as_of`` do not change it.

        Of a window with more tweets than may be read it is those of the newest: ``looked_since`` says since when.
        """
        window = self.method.window(question)
        # While PostgreSQL reads the baseline, the groups of the day are looked for.
        (seen, used, counts), groups = await asyncio.gather(
            self._counted(window, question.min_tweets),
            self.coordination.groups(question.as_of, timedelta(days=1)),
        )
        evidence = await self.in_thread(evidence_of, question, seen, used, counts, group_numbers(groups))
        found = await self.in_thread(self._detect, question, evidence, used.distinct)
        strongest = dict(list(found.bursts.items())[:MAX_TERMS])
        tweets = {term: seen.tweets.ids[used.rows[term]].tolist() for term in strongest}
        spellings = await self.signals.spellings(window, tweets)
        clusters = await self.in_thread(_clusters, strongest, spellings, tweets, len(seen.tweets))
        topics = await self.in_thread(self._describe, clusters, strongest, question, evidence)
        return self._answer(question, seen, evidence, found, topics)

    async def _counted(self, window: Window, min_tweets: int) -> tuple[WindowTweets, WindowTerms, PackedCounts]:
        seen = await self.signals.window(window, self.method.max_window_tweets)
        used: WindowTerms = await self.in_thread(self._frequent, seen, min_tweets)
        looked = replace(window, since=seen.looked_since)
        return seen, used, await self.hours.baseline(looked, sorted(used.rows))

    def _frequent(self, seen: WindowTweets, min_tweets: int) -> WindowTerms:
        return frequent_terms(seen.terms, min_tweets=min_tweets, limit=self.method.max_candidates)

    def _detect(self, question: Question, evidence: Evidence, distinct: int) -> Detection:
        return detect(
            evidence.window, evidence.terms, evidence.counts, min_tweets=question.min_tweets, distinct=distinct,
            rate=self.method.false_discovery_rate, crowds=evidence.crowds,
        )  # fmt: skip

    def _describe(
        self, clusters: Sequence[Cluster], bursts: Mapping[str, Burst], question: Question, evidence: Evidence
    ) -> list[Topic]:
        topics = []
        for found in clusters:
            burst = bursts[found.label.key]
            if not _is_weak_common_word(found, evidence, burst.score):
                topics.append(describe(found, burst, question, evidence, self.method))
            if len(topics) == question.limit:
                break
        return sorted(topics, key=lambda topic: (-topic.score, topic.topic))

    def _answer(
        self, question: Question, seen: WindowTweets, evidence: Evidence, found: Detection, topics: list[Topic]
    ) -> TopicList:
        needed = None if topics else needed_tweets(evidence, found, question.min_tweets)
        missing = [*(["baseline"] if evidence.is_thin else ()), *(["window"] if is_shortened(question, seen) else ())]
        return TopicList(
            items=topics,
            as_of=question.as_of,
            window_hours=question.window_hours,
            baseline_days=self.method.baseline_days,
            tweets_in_window=seen.stored,
            tweets_in_baseline=evidence.counts.total,
            terms_tested=found.tested,
            needed_score=round(found.needed, 2),
            needed_tweets=needed,
            quiet=None if topics else quiet(evidence.window.seconds, seen.stored, found.tested, needed),
            looked_since=seen.looked_since,
            degraded=missing or None,
        )


def evidence_of(
    question: Question, seen: WindowTweets, used: WindowTerms, counts: PackedCounts, groups: Mapping[str, int]
) -> Evidence:
    """Return the tweets of a window, and the counts before it, as the arrays that the detector takes. CPU-bound."""
    rows = dict(zip(seen.tweets.ids.tolist(), range(len(seen.tweets)), strict=True))
    posts = _posts(question, seen, groups)
    return Evidence(seen.tweets, rows, posts, used.rows, counts.unpack(), frozenset(groups), crowds_of(posts))


def _posts(question: Question, seen: WindowTweets, groups: Mapping[str, int]) -> WindowPosts:
    tweets = seen.tweets
    hands = tweets.hands()
    numbers = {name: -1 - group for name, group in groups.items()}
    by_hand = [numbers.setdefault(hand, len(numbers)) for hand in hands]
    # What a suspected account writes is its group's, whomever the text names.
    by_voice = (
        by_hand if hands == tweets.voices else
        [hand if hand < 0 else numbers.setdefault(voice, len(numbers))
         for hand, voice in zip(by_hand, tweets.voices, strict=True)]
    )  # fmt: skip
    return WindowPosts(
        seconds=_seconds(question, seen),
        ages=(question.as_of.timestamp() - tweets.moments / 1e6).astype(np.int64),
        hours=tweets.moments // 3_600_000_000,
        authors=np.array(by_voice, dtype=np.int64),
        hands=None if by_hand == by_voice else np.array(by_hand, dtype=np.int64),
    )


def is_shortened(question: Question, seen: WindowTweets) -> bool:
    """Tell whether the window holds more tweets than were read."""
    return seen.looked_since > question.as_of - timedelta(hours=question.window_hours)


def _seconds(question: Question, seen: WindowTweets) -> int:
    # The oldest tweet of a shortened window is one of it.
    whole = question.window_hours * 3600
    return 1 + int((question.as_of - seen.looked_since).total_seconds()) if is_shortened(question, seen) else whole


def _clusters(
    bursts: Mapping[str, Burst], spellings: Mapping[str, Spelling], tweets: Mapping[str, Sequence[int]], size: int
) -> list[Cluster]:
    """Return the clusters of the terms that burst in a window of ``size`` tweets. CPU-bound."""
    # A term of which all tweets were deleted meanwhile has no spelling any more.
    terms = [
        BurstingTerm(key, spelling.kind, spelling.text, words_of(spelling.text), burst.score, frozenset(tweets[key]))
        for key, burst in bursts.items()
        if (spelling := spellings.get(key)) is not None
    ]
    return cluster(terms, size)


def _is_weak_common_word(found: Cluster, evidence: Evidence, score: float) -> bool:
    # Among thousands of common words some burst by chance, or by the habit of one author: they need more evidence.
    if not found.label.is_common_word:
        return False
    tweets = evidence.of(found.label.tweets)
    accounts = {tweet.voice for tweet in tweets}, {tweet.hand for tweet in tweets}
    return score < COMMON_WORD_SCORE or len(tweets) < 3 or min(map(len, accounts)) == 1


def needed_tweets(evidence: Evidence, found: Detection, min_tweets: int) -> int | None:
    """Return how many tweets of different accounts within an hour a new term would have needed to be a topic.

    None when even ``MOST_NEEDED`` would not do, as on the first day of a stream.
    """
    new = expectations(["\0"], replace(evidence.counts, terms={}))
    lengths = scales(evidence.window.seconds)
    seconds = min(3600, lengths[-1])
    expected = max(float(new.tweets(evidence.window, seconds)[0]), 1e-6)
    looks = math.log10(looks_of(seconds, len(lengths), is_window=seconds == lengths[-1]))
    for count in range(min_tweets, MOST_NEEDED):
        if -log10_tail(count, expected, float(new.sizes[0])) - looks >= found.needed:
            return count
    return None


def quiet(seconds: int, tweets: int, tested: int, needed: int | None) -> str:
    """Return the sentence of an answer without topics: what was looked at and what would have been one."""
    looked = f"No topic stands out among {tested} terms of {tweets} tweets in {length_of(seconds)}"
    if needed is None:
        return f"{looked}; too few tweets lie before the window to tell what is unusual"
    return f"{looked}; a new term would have needed {needed} tweets of different accounts within an hour"
