"""The topic that is worth speaking about: the pick of CASTOR's predecessor, for speech writing."""

from __future__ import annotations

from collections.abc import Sequence

from trending_service.topics.model import Topic

NEUTRAL_WEIGHT = 0.5


def pick_of(topic: Topic) -> float:
    """Return engagement x (positive + 0.5 neutral): engagement is its tweets without those of suspected accounts.

    A topic without a scored tweet counts as neutral.
    """
    felt = topic.sentiment
    liking = NEUTRAL_WEIGHT if felt is None else felt.positive + NEUTRAL_WEIGHT * felt.neutral
    return topic.coordination.tweets_without * liking


def best(topics: Sequence[Topic]) -> Topic | None:
    """Return the topic with the highest pick, the strongest of equals; None without topics."""
    return max(topics, key=lambda topic: (pick_of(topic), topic.score), default=None)
