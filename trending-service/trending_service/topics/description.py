"""Describes a topic: its counts, when it began and peaked, its sentiment, the sentence that says why it is listed.

Every number is that of the label; those of all terms together stand in ``cluster``.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta

from trending_service.detection.clusters import Cluster
from trending_service.detection.scan import Burst, scan
from trending_service.signals.model import StoredTweet
from trending_service.topics.evidence import Evidence
from trending_service.topics.model import (
    Method,
    Past,
    Pushed,
    Question,
    Sample,
    SentimentShares,
    Together,
    Topic,
)
from trending_service.topics.topic_id import topic_id

SAMPLES = 5
EVERGREEN_DAYS = 0.5
"""Share of the days before the window from which a term is evergreen."""
_HALF_HOUR = 1800.0


def describe(found: Cluster, burst: Burst, question: Question, evidence: Evidence, method: Method) -> Topic:
    """Return the topic of a cluster whose label has the burst ``burst``."""
    label = found.label
    tweets = evidence.of(label.tweets)
    labels = Counter(tweet.label for tweet in tweets if tweet.label)
    began = _began(tweets, burst, question)
    samples = _samples(found, tweets)
    return Topic(
        id=topic_id(label.key, question),
        topic=label.spelling,
        kind=label.kind if label.kind in ("hashtag", "mention") else "phrase",
        signal=label.kind,
        terms=[term.spelling for term in found.members],
        keys=[term.key for term in found.members],
        tweets=len(tweets),
        authors=_accounts(tweets),
        expected=round(burst.expected_in_window, 4),
        share_change=round(len(tweets) / burst.expected_in_window, 2),
        score=round(burst.score, 2),
        tweets_per_hour=round(burst.tweets * 3600 / burst.seconds, 2),
        rising_minutes=math.ceil(burst.seconds / 60),
        started_at=began,
        first_seen_at=tweets[0].created_at,
        peak_at=_peak(tweets),
        of_peak=_of_peak(tweets, question.as_of),
        past=past(label.key, evidence),
        sentiment=_shares(labels),
        scored=sum(labels.values()),
        why=why(tweets, burst, evidence, method, began, seen=evidence.counts.seen(label.key)),
        sample_tweet_ids=[str(tweet.id) for tweet in samples],
        samples=[Sample(str(tweet.id), tweet.author, tweet.created_at) for tweet in samples],
        cluster=_together(found, evidence),
        coordination=_pushed(label.key, tweets, evidence, question.min_tweets),
    )


def why(
    tweets: Sequence[StoredTweet], burst: Burst, evidence: Evidence, method: Method, began: datetime, *, seen: int
) -> str:
    """Return one sentence with the numbers: of the window, and ``seen`` tweets with the term in the baseline."""
    authors = _accounts(tweets)
    count = "1 tweet" if len(tweets) == 1 else f"{len(tweets)} tweets"
    who = "1 account" if authors == 1 else f"{authors} accounts"
    place = method.zone.key.rpartition("/")[2].replace("_", " ")
    days = f"the {method.baseline_days} days before"
    usual = burst.expected_in_window
    change = f"{len(tweets) / usual:.1f}x the {usual:.2g} expected from {days}" if seen else f"none in {days}"
    change += _doubt(evidence)
    recent = f"; {burst.tweets} of them in the last {length_of(burst.seconds)}" if burst.tweets < len(tweets) else ""
    local = began.astimezone(method.zone)
    length = length_of(evidence.window.seconds)
    return f"{count} from {who} in {length}, {change}{recent}; began {local:%Y-%m-%d %H:%M} ({place})"


def _doubt(evidence: Evidence) -> str:
    """Return what is added where too little is stored of the days before: "none" says nothing then."""
    if not evidence.is_thin:
        return ""
    held = "too few tweets are" if evidence.counts.total else "no tweet is"
    return f", of which {held} stored: what is usual is not known"


def past(key: str, evidence: Evidence) -> Past:
    """Tell whether a term is new, comes back, or is there on at least half of the days."""
    hours = evidence.counts.terms.get(key, ((), ()))[0]
    days = {(hour - evidence.counts.first_hour) // 24 for hour in hours}
    if not days:
        return "novel"
    return "evergreen" if len(days) >= EVERGREEN_DAYS * len(evidence.counts.stream) / 24 else "recurring"


def length_of(seconds: int) -> str:
    """Return a length of time in words: whole hours, or minutes."""
    return f"{seconds // 3600} h" if seconds % 3600 == 0 else f"{math.ceil(seconds / 60)} min"


def _accounts(tweets: Sequence[StoredTweet]) -> int:
    return len({tweet.author for tweet in tweets})


def _began(tweets: Sequence[StoredTweet], burst: Burst, question: Question) -> datetime:
    since = question.as_of - timedelta(seconds=burst.seconds)
    return next((tweet.created_at for tweet in tweets if tweet.created_at > since), tweets[0].created_at)


def _peak(tweets: Sequence[StoredTweet]) -> datetime:
    hours = Counter(tweet.created_at.replace(minute=0, second=0, microsecond=0) for tweet in tweets)
    return max(hours, key=lambda hour: (hours[hour], -hour.timestamp())).astimezone(UTC)


def _of_peak(tweets: Sequence[StoredTweet], as_of: datetime) -> float:
    halves = Counter(int((as_of - tweet.created_at).total_seconds() // _HALF_HOUR) for tweet in tweets)
    return round(halves[0] / max(halves.values()), 2)


def _shares(labels: Mapping[str, int]) -> SentimentShares | None:
    scored = sum(labels.values())
    if scored == 0:
        return None
    return SentimentShares(**{name: labels.get(name, 0) / scored for name in ("positive", "neutral", "negative")})


def _samples(found: Cluster, tweets: Sequence[StoredTweet]) -> list[StoredTweet]:
    # Of different accounts first, those with most of the topic's terms.
    weights: Counter[int] = Counter()
    for term in found.members:
        weights.update(dict.fromkeys(term.tweets, math.ceil(term.score)))
    ranked = sorted(tweets, key=lambda tweet: (-weights[tweet.id], tweet.created_at, tweet.id))
    first = {tweet.voice: tweet for tweet in reversed(ranked)}
    ids = {tweet.id for tweet in first.values()}
    return sorted(ranked, key=lambda tweet: tweet.id not in ids)[:SAMPLES]


def _together(found: Cluster, evidence: Evidence) -> Together:
    tweets = evidence.of(found.tweets)
    return Together([term.spelling for term in found.members], len(tweets), _accounts(tweets))


def _pushed(key: str, tweets: Sequence[StoredTweet], evidence: Evidence, min_tweets: int) -> Pushed:
    by = [tweet for tweet in tweets if evidence.by_suspected(tweet)]
    rest = [tweet for tweet in tweets if not evidence.by_suspected(tweet)]
    rows = evidence.terms[key]
    kept = rows[[not evidence.by_suspected(evidence.tweets[row]) for row in rows]] if by else rows
    without = scan(evidence.window, {key: kept}, evidence.counts, min_tweets, crowds=evidence.crowds).get(key)
    return Pushed(
        accounts=_accounts(by),
        tweets=len(by),
        share=round(len(by) / len(tweets), 4),
        tweets_without=len(rest),
        authors_without=_accounts(rest),
        score_without=round(without.score, 2) if without else 0.0,
    )
