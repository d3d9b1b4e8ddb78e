"""Describes a topic: its counts, when it began and peaked, its sentiment, the sentence that says why it is listed."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime

from trending_service.detection.burst import Burst
from trending_service.detection.clusters import Cluster
from trending_service.signals.model import StoredTweet
from trending_service.topics.model import Method, Question, SentimentShares, Topic

SAMPLES = 5


def describe(
    found: Cluster, tweets: Sequence[StoredTweet], burst: Burst, seen: int, question: Question, method: Method
) -> Topic:
    """Return the topic of a cluster.

    ``tweets`` are its tweets in the window, oldest first and at least one; ``seen`` counts those of the baseline.
    """
    labels = Counter(tweet.label for tweet in tweets if tweet.label)
    return Topic(
        topic=found.label.spelling,
        kind=found.label.kind,
        terms=[term.spelling for term in found.members],
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
    """Return one sentence with the numbers; arguments as in ``describe``."""
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
    for term in found.members:
        weights.update(dict.fromkeys(term.tweets, math.ceil(term.score)))
    return sorted(tweets, key=lambda tweet: (-weights[tweet.id], tweet.created_at, tweet.id))[:SAMPLES]
