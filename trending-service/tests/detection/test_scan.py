"""Tests at several scales: short bursts, weak bursts, floods, chance."""

from __future__ import annotations

import numpy as np
import pytest

from trending_service.detection.burst import benjamini_hochberg
from trending_service.detection.scan import Detection, detect, scales, scan, voices_needed
from trending_service.signals.counts import HourlyCounts, WindowPosts

SIX_HOURS = 6 * 3600
FIRST = 168 * 2700


def _counts(terms: dict[str, list[int]] | None = None) -> HourlyCounts:
    used = {name: ([FIRST + hour for hour in hours], [1] * len(hours)) for name, hours in (terms or {}).items()}
    return HourlyCounts(FIRST, np.full(672, 40), used)


def _detect(
    ages: list[int],
    authors: list[int] | None = None,
    counts: HourlyCounts | None = None,
    others_every: int = 90,
    hands: list[int] | None = None,
    one_of: int = 1,
) -> Detection:
    """Look for one term with tweets of these ages in a stream of 240 tweets of 240 accounts.

    Of so many of those tweets ``one_of`` is of an account of its own, the others are of account 0.
    """
    writers = authors or list(range(1000, 1000 + len(ages)))
    every = [*ages, *range(0, SIX_HOURS, others_every)]
    others = [number if number % one_of == 0 else 0 for number in range(len(every) - len(ages))]
    window = WindowPosts(
        SIX_HOURS, np.array(every), np.array([FIRST + 678 - age // 3600 for age in every]),
        np.array([*writers, *others]), None if hands is None else np.array([*hands, *others]),
    )  # fmt: skip
    return detect(window, {"term": np.arange(len(ages))}, counts or _counts(), min_tweets=5, distinct=3000, rate=0.05)


def test_a_burst_is_strongest_at_its_own_length() -> None:
    """Eight tweets of twenty minutes show at the scale of half an hour, eight of four hours at a long one."""
    short = _detect([60 * minute for minute in range(2, 18, 2)])
    slow = _detect([1800 * step for step in range(8)])
    assert short.bursts["term"].seconds <= 1800
    assert slow.bursts["term"].seconds >= 4 * 3600
    assert short.bursts["term"].score > slow.bursts["term"].score


def test_what_is_usual_is_no_burst() -> None:
    """Ten tweets of a term that has a tenth of the stream are none."""
    usual = _counts({"term": list(range(0, 672))})
    assert _detect([2000 * step for step in range(6)], counts=usual).bursts == {}


def test_floods_of_few_accounts_are_none() -> None:
    """Sixty tweets of three accounts in a stream of hundreds stay below the least number of voices."""
    assert _detect([300 * step for step in range(60)], [1001, 1002, 1003] * 20).bursts == {}


def test_many_voices_of_one_hand_are_no_burst() -> None:
    """Sixty tweets of one account whose texts name sixty others."""
    ages = [300 * step for step in range(60)]
    assert _detect(ages).bursts
    assert _detect(ages, hands=[7] * 60).bursts == {}


def test_at_night_a_flood_of_few_accounts_is_none_either() -> None:
    """Thirty tweets of three accounts while twenty others write of other things; of seven accounts they are a topic."""
    ages = [200 * step for step in range(30)]
    assert _detect(ages, [1001, 1002, 1003] * 10, others_every=1080).bursts == {}
    assert "term" in _detect(ages, [*range(1001, 1008)] * 4 + [1001, 1002], others_every=1080).bursts


def test_a_flood_of_few_accounts_is_none_where_one_account_writes_most() -> None:
    """Thirty tweets of three accounts in a stream of which three quarters are of one account, the rest of 180 others.

    Nor if their texts name thirty accounts. Twelve tweets of which that account wrote as many as of the others are one.
    """
    ages = [300 * step for step in range(30)]
    assert _detect(ages, [1001, 1002, 1003] * 10, others_every=30, one_of=4).bursts == {}
    assert _detect(ages, others_every=30, one_of=4, hands=[1001, 1002, 1003] * 10).bursts == {}
    assert "term" in _detect(ages[:12], [0, 0, 0, 1001, 0, 0, 0, 1002, 0, 0, 0, 1003], others_every=30, one_of=4).bursts


def test_among_few_accounts_one_is_enough() -> None:
    """Where three others write, eight tweets of one account are a topic: only candidates may be followed."""
    assert "term" in _detect([600 * step for step in range(8)], [1001] * 8, others_every=7200).bursts


def test_many_tweets_of_one_moment_count_little() -> None:
    """Fifteen accounts within seconds may be one hand; the same fifteen within half an hour are a topic."""
    assert _detect([100 + second for second in range(15)]).bursts == {}
    assert "term" in _detect([100 + 120 * step for step in range(15)]).bursts


def test_more_terms_need_more_evidence() -> None:
    """The score that is needed follows from the number of all terms, in each of the four windows of a day."""
    found = _detect([])
    assert found.tested == 3000
    assert round(found.needed, 2) == round(np.log10(4 * 3000 / 0.05), 2)


def test_scales_end_with_the_window() -> None:
    """All fixed scales below the window and the window itself."""
    assert scales(3600) == [900, 1800, 3600]
    assert scales(10_000)[-1] == 10_000


def test_few_accounts_need_fewer_voices() -> None:
    """In a stream of four accounts two voices are half of it."""
    assert voices_needed(5, 4) == 2
    assert voices_needed(5, 400) == 5


@pytest.mark.parametrize("seed", range(5))
def test_what_cannot_pass_is_left_out_and_the_rest_is_as_it_would_be(seed: int) -> None:
    """Of terms of all strengths exactly those burst that pass when every term is looked at closely."""
    chance = np.random.default_rng(seed)
    hours = np.arange(FIRST, FIRST + 672)
    ages = np.sort(chance.integers(0, SIX_HOURS, 3000))[::-1]
    window = WindowPosts(SIX_HOURS, ages, FIRST + 678 - ages // 3600, chance.integers(0, 900, 3000))
    terms = {f"t{number}": np.sort(chance.choice(3000, 5 + number // 4, replace=False)) for number in range(200)}
    used = {name: (hours, chance.poisson(chance.uniform(0, 3), 672)) for name in terms}
    counts = HourlyCounts(FIRST, np.full(672, 400), used)
    every = scan(window, terms, counts, 5)
    passed = benjamini_hochberg([-burst.score for burst in every.values()], 0.05, of=4 * 2000)
    found = detect(window, terms, counts, min_tweets=5, distinct=2000, rate=0.05)
    assert found.bursts == {name: burst for (name, burst), holds in zip(every.items(), passed, strict=True) if holds}
    assert 0 < len(found.bursts) < len(every)
