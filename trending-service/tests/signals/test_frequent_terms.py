"""The frequent terms of a window."""

from __future__ import annotations

import random
from collections import Counter

import numpy as np
import pytest

from trending_service.signals import frequent_terms as module
from trending_service.signals.frequent_terms import frequent_terms


def _lines(tweets: list[list[str]]) -> list[str]:
    return ["\n".join(keys) for keys in tweets]


@pytest.mark.parametrize("limit", [0, 3, 7, 100])
def test_they_are_those_that_counting_one_by_one_gives(limit: int) -> None:
    """The most frequent first, those that are equally frequent by name; each with the tweets that hold it, in order."""
    chance = random.Random(5)
    words = [f"término {number}" for number in range(40)] + ["año", "ano", "#paz"]
    tweets = [chance.sample(words, chance.randrange(6)) for _ in range(200)]
    found = frequent_terms(_lines(tweets), min_tweets=9, limit=limit)
    counts = Counter(word for keys in tweets for word in keys)
    wanted = sorted((-count, word) for word, count in counts.items() if count >= 9)[:limit]
    assert found.distinct == len(counts)
    assert [(key, rows.tolist()) for key, rows in found.rows.items()] == [
        (word, [row for row, keys in enumerate(tweets) if word in keys]) for _, word in wanted
    ]


@pytest.mark.parametrize("tweets", [[], [[]], [[], []]])
def test_without_a_term_there_is_none(tweets: list[list[str]]) -> None:
    """A window without tweets, or with tweets of stop words only."""
    found = frequent_terms(_lines(tweets), min_tweets=1, limit=10)
    assert (found.distinct, found.rows) == (0, {})


def test_terms_are_told_apart_by_every_letter_and_by_their_length() -> None:
    """Of one letter to eighty, in letters of one to four bytes, with one that differs at each place."""
    base = ["a", "ñ", "é", "e\u0301", "日", "🙂"]
    texts = {letter * length for letter in base for length in range(1, 81)}
    texts |= {"x" * place + other + "x" * (79 - place) for place in range(80) for other in "yz"}
    found = frequent_terms(_lines([sorted(texts)] * 2 + [[]]), min_tweets=2, limit=10_000)
    assert found.distinct == len(texts)
    assert {key: rows.tolist() for key, rows in found.rows.items()} == {key: [0, 1] for key in texts}


@pytest.mark.parametrize("key", [2 * random.Random(seed).getrandbits(63) + 1 for seed in range(8)])
def test_terms_written_to_have_one_hash_are_told_apart(key: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """What the second word of a term differs by cancels what its first did, for half of all keys."""
    monkeypatch.setattr(module, "_KEY", np.uint64(key))
    found = frequent_terms(["#marcha0abcdaxx0"] * 3 + ["#marchapabcdcxxp"] * 4, min_tweets=2, limit=10)
    assert found.distinct == 2
    assert {term: rows.tolist() for term, rows in found.rows.items()} == {
        "#marchapabcdcxxp": [3, 4, 5, 6],
        "#marcha0abcdaxx0": [0, 1, 2],
    }


def test_whatever_the_hash_terms_are_told_apart(monkeypatch: pytest.MonkeyPatch) -> None:
    """Also when all terms have the same, in each order of their uses."""
    monkeypatch.setattr(module, "_hashes", lambda uses: np.zeros(len(uses.starts), dtype=np.uint64))
    test_they_are_those_that_counting_one_by_one_gives(100)
