"""The frequent terms of a window."""

from __future__ import annotations

import random
from collections import Counter
from datetime import UTC, datetime

import pytest

from trending_service.signals.model import WindowTweets, frequent_terms


def _window(tweets: list[list[str]]) -> WindowTweets:
    return WindowTweets(len(tweets), [], ["\n".join(keys) for keys in tweets], datetime(2022, 5, 29, tzinfo=UTC))


@pytest.mark.parametrize("limit", [0, 3, 7, 100])
def test_they_are_those_that_counting_one_by_one_gives(limit: int) -> None:
    """The most frequent first, those that are equally frequent by name; each with the tweets that hold it, in order."""
    chance = random.Random(5)
    words = [f"término {number}" for number in range(40)] + ["año", "ano", "#paz"]
    tweets = [chance.sample(words, chance.randrange(6)) for _ in range(200)]
    found = frequent_terms(_window(tweets), min_tweets=9, limit=limit)
    counts = Counter(word for keys in tweets for word in keys)
    wanted = sorted((-count, word) for word, count in counts.items() if count >= 9)[:limit]
    assert found.distinct == len(counts)
    assert [(key, rows.tolist()) for key, rows in found.rows.items()] == [
        (word, [row for row, keys in enumerate(tweets) if word in keys]) for _, word in wanted
    ]


@pytest.mark.parametrize("tweets", [[], [[]], [[], []]])
def test_without_a_term_there_is_none(tweets: list[list[str]]) -> None:
    """A window without tweets, or with tweets of stop words only."""
    found = frequent_terms(_window(tweets), min_tweets=1, limit=10)
    assert (found.distinct, found.rows) == (0, {})
