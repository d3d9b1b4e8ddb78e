"""Credibility of an author: a score with its reasons. No tweet is dropped for it; queries can filter by it.

The weights are those of the predecessor's detector, without its hard filter and without signals from the name, which
is no evidence (Botero, Roboto, Abbott). An unknown signal weighs 0.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime

from twitter_service.tweets.model import Author

BASE = 0.5
MIN_SCORE, MAX_SCORE = 0.1, 1.0
MIN_TWEETS_TO_JUDGE = 5


@dataclass(frozen=True)
class Activity:
    """What an author wrote in the tweets stored: how many, over how many days, and how many different texts."""

    tweets: int
    days: float
    distinct_texts: int


@dataclass(frozen=True)
class Reason:
    """One signal, its weight, and the sentence that explains it."""

    signal: str
    weight: float
    text: str


@dataclass(frozen=True)
class Assessment:
    """A score in [0.1, 1]: 0.5 plus the weights of ``reasons``."""

    score: float
    reasons: tuple[Reason, ...]


def assess(author: Author | None, activity: Activity | None, now: datetime) -> Assessment:
    """Return the credibility of an author; an unknown one has 0.5 and the weights of its activity."""
    reasons = [] if author is None else [*_profile(author), *_age(author, now), *_reach(author)]
    reasons += [] if activity is None else _behaviour(activity)
    score = BASE + sum(reason.weight for reason in reasons)
    return Assessment(round(min(MAX_SCORE, max(MIN_SCORE, score)), 2), tuple(reasons))


def _profile(author: Author) -> Iterator[Reason]:
    if author.verified:
        yield Reason("verified", 0.25, "X has verified the account")
    if author.has_bio is not None:
        yield Reason("bio", 0.08, "it describes itself") if author.has_bio else Reason("bio", -0.10, "it has no bio")
    if author.has_image is not None:
        known = Reason("image", 0.07, "it has a picture of its own")
        yield known if author.has_image else Reason("image", -0.15, "it has the default picture")
    if author.location:
        yield Reason("location", 0.05, "it names a place")


def _age(author: Author, now: datetime) -> Iterator[Reason]:
    if author.created_at is None:
        return
    days = (now - author.created_at).days
    if days >= 365:
        yield Reason("age", 0.15, f"it is {days // 365} years old")
    elif days >= 30:
        yield Reason("age", 0.08, f"it is {days} days old")
    else:
        yield Reason("age", -0.15, f"it is only {max(days, 0)} days old")
    if author.tweets is not None and author.tweets / max(days, 1) > 100:
        yield Reason("volume", -0.15, f"it wrote {author.tweets // max(days, 1)} tweets a day over its life")


def _reach(author: Author) -> Iterator[Reason]:
    followers, following = author.followers, author.following
    if followers is not None and followers >= 100:
        weight = 0.15 if followers >= 1000 else 0.10
        yield Reason("followers", weight, f"{followers} accounts follow it")
    if followers is None or following is None:
        return
    if following > 10 * followers:
        yield Reason("ratio", -0.10, f"it follows {following} accounts and {followers} follow it")
    elif following and 0.1 <= followers / following <= 10:
        yield Reason("ratio", 0.07, "about as many follow it as it follows")


def _behaviour(activity: Activity) -> Iterator[Reason]:
    if activity.tweets < MIN_TWEETS_TO_JUDGE:
        return
    per_day = activity.tweets / max(activity.days, 1)
    if per_day > 100:
        yield Reason("recent_volume", -0.15, f"{per_day:.0f} of its tweets a day are stored")
    repeated = 1 - activity.distinct_texts / activity.tweets
    if repeated > 0.5:
        yield Reason("duplicates", -0.20, f"{repeated:.0%} of its {activity.tweets} stored tweets repeat another")
