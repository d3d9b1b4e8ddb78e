"""Groups of accounts: found where they act together again and again, not where a crowd meets."""

from __future__ import annotations

import random
import tracemalloc
from collections import Counter
from dataclasses import replace
from itertools import combinations, count

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from trending_service.coordination import meetings
from trending_service.coordination.detector import find_groups, log10_poisson_tail
from trending_service.coordination.model import Post, group_numbers

_IDS = count(1)
MEMBERS = [f"m{number}" for number in range(8)]


def _together(members: list[str], rounds: int, what: str = "#pago", apart: float = 900) -> list[Post]:
    return [
        Post(next(_IDS), 50_000 + number * apart + place, member, (what,))
        for number in range(rounds)
        for place, member in enumerate(members)
    ]


def _crowd(chance: random.Random, *, people: int = 300, tweets: int = 600, hours: float = 6) -> list[Post]:
    """Busy and quiet accounts that write of one thing over some hours."""
    weights = [chance.paretovariate(1.2) for _ in range(people)]
    names = chance.choices([f"p{number}" for number in range(people)], weights, k=tweets)
    return [Post(next(_IDS), chance.uniform(40_000, 40_000 + hours * 3600), name, ("#paro",)) for name in names]


def test_accounts_that_post_together_three_times_are_a_group() -> None:
    """Members, the pairs, the rounds and the tweets are told."""
    (group,) = find_groups(_together(MEMBERS, 3))
    assert set(group.members) == set(MEMBERS)
    assert set(group.members.values()) == {3}
    assert (group.pairs, len(group.rounds), len(group.post_ids)) == (28, 3, 24)
    assert group.objects == ("#pago",)
    assert group.expected_pairs < 1
    assert group.log10_p < -6


def test_once_together_is_chance() -> None:
    """One round says nothing, however many take part, and two rounds within a minute are one."""
    assert find_groups(_together(MEMBERS, 1)) == []
    assert find_groups(_together(MEMBERS, 3, apart=40)) == []


@given(st.integers(0, 200))
@settings(max_examples=15)
def test_an_honest_crowd_has_no_group(seed: int) -> None:
    """Hundreds of accounts, some very busy, that write of one thing for hours."""
    assert find_groups(_crowd(random.Random(seed))) == []


def test_a_group_within_a_crowd_is_found_without_the_crowd() -> None:
    """Members that ride on an honest trend are told from those who share it."""
    posts = _crowd(random.Random(1)) + _together(MEMBERS, 6, "#paro", apart=1300)
    found = find_groups(posts)
    assert len(found) == 1
    assert len(set(found[0].members) & set(MEMBERS)) >= 7
    assert len(set(found[0].members) - set(MEMBERS)) <= 1


def test_two_groups_stay_two_and_order_does_not_matter() -> None:
    """Groups without a common member are told apart, the same for any order of the posts."""
    others = [f"n{number}" for number in range(5)]
    posts = _together(MEMBERS, 3) + _together(others, 4, "link:x.example/a")
    found = find_groups(posts)
    assert [len(group.members) for group in found] == [8, 5]
    random.Random(3).shuffle(posts)
    assert find_groups(posts) == found
    assert group_numbers(found)["n3"] == 1


def test_a_hashtag_of_thousands_takes_little_memory() -> None:
    """Neither every pair of accounts nor every meeting is held at once; the group among them is found."""
    chance = random.Random(1)
    names = [f"p{number}" for number in range(5000)]
    crowd = [Post(next(_IDS), chance.uniform(0, 86_400), name, ("#paro",)) for name in names * 2]
    posts = crowd + _together(MEMBERS, 12, "#paro", apart=1300)
    tracemalloc.start()
    try:
        found = find_groups(posts)
        assert tracemalloc.get_traced_memory()[1] < 150e6
    finally:
        tracemalloc.stop()
    assert set(MEMBERS) <= set(found[0].members)


def test_a_hashtag_in_parts_says_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    """Meetings and pairs are the same, however many are looked at at once."""
    posts = _crowd(random.Random(1)) + _together(MEMBERS, 6, "#paro", apart=1300)
    whole = find_groups(posts)
    monkeypatch.setattr(meetings, "_PART", 100)
    (parts,) = find_groups(posts)
    assert replace(parts, expected_pairs=0, log10_p=0) == replace(whole[0], expected_pairs=0, log10_p=0)
    assert parts.expected_pairs == pytest.approx(whole[0].expected_pairs)


def test_what_chance_makes_of_many_accounts_is_estimated(monkeypatch: pytest.MonkeyPatch) -> None:
    """From the accounts that are taken, within a tenth of what all pairs give."""
    posts = sorted(_crowd(random.Random(2), people=900, tweets=4000), key=lambda post: post.at)
    _, halves = meetings.by_half_hour(meetings.uses_of(posts))
    chances = meetings.chances_of_meeting(2)
    products = np.minimum(halves @ halves.T, 200).astype(int)
    exact = float(np.triu(np.where(chances <= meetings.RARE, chances, 0)[products], 1).sum())
    assert meetings.expected_pairs(halves, chances) == pytest.approx(exact)
    monkeypatch.setattr(meetings, "MOST_ROWS", 200)
    assert meetings.expected_pairs(halves, chances) == pytest.approx(exact, rel=0.1)


def test_posts_by_half_hour_are_those_that_counting_one_by_one_gives() -> None:
    """Of accounts with two posts or more; the chance of a pair comes from the half hours that both posted in."""
    posts = sorted(_crowd(random.Random(4), people=60, tweets=200), key=lambda post: post.at)
    names, halves = meetings.by_half_hour(meetings.uses_of(posts))
    often = sorted(name for name, uses in Counter(post.author for post in posts).items() if uses > 1)
    used = [Counter(post.at // 1800 for post in posts if post.author == name) for name in often]
    assert names == often
    assert halves.sum(axis=1).tolist() == [uses.total() for uses in used]
    pairs, chances = list(combinations(range(len(often)), 2)), meetings.chances_of_meeting(2)
    together = [sum(used[one][half] * used[other][half] for half in used[one]) for one, other in pairs]
    assert meetings.chances_of(halves, np.array(pairs), chances).tolist() == chances[together].tolist()


def test_the_tail_of_a_poisson_distribution() -> None:
    """Known values, and numbers beyond any float."""
    assert abs(10 ** log10_poisson_tail(3, 0.5) / 0.01439 - 1) < 0.05
    assert log10_poisson_tail(400, 0.01) < -1000
    assert log10_poisson_tail(0, 5) == 0
