"""From a question about a moment to topics: test every term, merge those that speak of one thing, explain."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

from trending_service.api.schemas.topics import SentimentShares, Topic, Topics
from trending_service.detection.burst import Burst, Observed, Stream, benjamini_hochberg, burst_of, effective_authors
from trending_service.detection.clusters import Cluster, Hit, cluster
from trending_service.signals.model import StoredTweet, TermUse, Window
from trending_service.signals.repository import TrendStore
from trending_service.text.terms import words_of

MAX_HITS = 400
"""Strongest terms that are looked at in detail; they end up in far fewer topics."""
COMMON_WORD_SCORE = 3.0
"""A lone common word is a topic only from this score on, in three tweets of two accounts; names and tags always."""
SAMPLES = 5
THIN_BASELINE = 100
"""Tweets below which the baseline says little and the answer is called degraded."""


@dataclass(frozen=True, slots=True)
class Question:
    """What was bursting in the ``window_hours`` up to ``as_of``."""

    as_of: datetime
    window_hours: int
    limit: int
    min_tweets: int


@dataclass(frozen=True, slots=True)
class Method:
    """How topics are found."""

    baseline_days: int
    false_discovery_rate: float
    max_candidates: int
    zone: ZoneInfo

    def window(self, question: Question) -> Window:
        """Return the window of a question, with its baseline before it."""
        since = question.as_of - timedelta(hours=question.window_hours)
        return Window(since - timedelta(days=self.baseline_days), since, question.as_of)


async def find_topics(store: TrendStore, method: Method, question: Question) -> Topics:
    """Return the topics of a question, strongest first; the same whatever came after ``as_of``."""
    window = method.window(question)
    whole = await store.window(window)
    candidates = await store.candidates(window, min_tweets=question.min_tweets, limit=method.max_candidates)
    bursting = significant(candidates, whole.stream, method.false_discovery_rate)
    uses = await store.uses(window, list(bursting))
    hits = [_hit(use, bursting[use.key]) for use in uses]
    clusters = cluster(hits)[: 2 * question.limit]
    topics = await _described(store, method, question, clusters, whole.stream)
    return Topics(
        items=topics[: question.limit],
        as_of=question.as_of,
        window_hours=question.window_hours,
        baseline_days=method.baseline_days,
        tweets_in_window=whole.stored,
        tweets_in_baseline=whole.stream.baseline.total,
        terms_tested=len(candidates),
        degraded=["baseline"] if whole.stream.baseline.total < THIN_BASELINE else None,
    )


def significant(candidates: Mapping[str, Observed], stream: Stream, rate: float) -> dict[str, Burst]:
    """Return the terms that pass Benjamini-Hochberg at ``rate``, strongest first, at most ``MAX_HITS``."""
    bursts = {term: burst_of(observed, stream) for term, observed in sorted(candidates.items())}
    passed = benjamini_hochberg([-burst.score for burst in bursts.values()], rate)
    kept = [item for item, holds in zip(bursts.items(), passed, strict=True) if holds]
    return dict(sorted(kept, key=lambda item: (-item[1].score, item[0]))[:MAX_HITS])


def _hit(use: TermUse, burst: Burst) -> Hit:
    return Hit(use.key, use.kind, use.spelling, words_of(use.spelling), burst.score, use.tweets)


async def _described(
    store: TrendStore, method: Method, question: Question, clusters: Sequence[Cluster], stream: Stream
) -> list[Topic]:
    window = method.window(question)
    ids = {tweet for found in clusters for tweet in found.tweets}
    tweets = await store.tweets(window, ids)
    baselines = await store.topic_baselines(window, [[hit.key for hit in found.members] for found in clusters])
    topics = []
    for found, baseline in zip(clusters, baselines, strict=True):
        # A tweet deleted since its terms were read is left out.
        mine = [tweet for number, tweet in tweets.items() if number in found.tweets]
        diversity = effective_authors(Counter(tweet.author for tweet in mine).values())
        burst = burst_of(Observed(len(mine), diversity, baseline), stream)
        if mine and burst.score > 0 and not _is_vocabulary(found, mine, burst.score):
            topics.append(_topic(found, mine, burst, baseline.total, question, method))
    return sorted(topics, key=lambda topic: (-topic.score, topic.topic))


def _is_vocabulary(found: Cluster, tweets: Sequence[StoredTweet], score: float) -> bool:
    # A language has thousands of common words and each author his own: chance and habit reach further there.
    if not found.label.is_common_word:
        return False
    return score < COMMON_WORD_SCORE or len(tweets) < 3 or len({tweet.author for tweet in tweets}) == 1


def _topic(
    found: Cluster, tweets: Sequence[StoredTweet], burst: Burst, seen: int, question: Question, method: Method
) -> Topic:
    labels = Counter(tweet.label for tweet in tweets if tweet.label)
    return Topic(
        topic=found.label.spelling,
        kind=found.label.kind,
        terms=[hit.spelling for hit in found.members],
        tweets=len(tweets),
        authors=len({tweet.author for tweet in tweets}),
        expected=round(burst.expected, 4),
        share_change=round(len(tweets) / burst.expected, 2),
        score=round(burst.score, 2),
        first_seen_at=tweets[0].created_at,
        peak_at=_peak(tweets),
        sentiment=_shares(labels),
        scored=sum(labels.values()),
        why=why(tweets, burst.expected, seen, question.window_hours, method),
        sample_tweet_ids=[str(tweet.id) for tweet in _samples(found, tweets)],
    )


def why(tweets: Sequence[StoredTweet], expected: float, seen: int, window_hours: int, method: Method) -> str:
    """Return one sentence with the numbers; ``tweets`` are oldest first, ``seen`` are those of the baseline."""
    authors = len({tweet.author for tweet in tweets})
    count = "1 tweet" if len(tweets) == 1 else f"{len(tweets)} tweets"
    who = "1 account" if authors == 1 else f"{authors} accounts"
    began = tweets[0].created_at.astimezone(method.zone)
    place = method.zone.key.rpartition("/")[2].replace("_", " ")
    days = f"the {method.baseline_days} days before"
    change = f"{len(tweets) / expected:.1f}x the {expected:.2g} expected from {days}" if seen else f"none in {days}"
    return f"{count} from {who} in {window_hours} h, {change}; began {began:%Y-%m-%d %H:%M} ({place})"


def _peak(tweets: Sequence[StoredTweet]) -> datetime:
    hours = Counter(tweet.created_at.replace(minute=0, second=0, microsecond=0) for tweet in tweets)
    return max(hours, key=lambda hour: (hours[hour], -hour.timestamp())).astimezone(UTC)


def _shares(labels: Mapping[str, int]) -> SentimentShares | None:
    scored = sum(labels.values())
    if scored == 0:
        return None
    return SentimentShares(**{name: labels.get(name, 0) / scored for name in ("positive", "neutral", "negative")})


def _samples(found: Cluster, tweets: Sequence[StoredTweet]) -> list[StoredTweet]:
    weights: Counter[int] = Counter()
    for hit in found.members:
        weights.update(dict.fromkeys(hit.tweets, math.ceil(hit.score)))
    return sorted(tweets, key=lambda tweet: (-weights[tweet.id], tweet.created_at, tweet.id))[:SAMPLES]
