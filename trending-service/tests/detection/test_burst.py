"""The statistics: tails, many tests at once, expectations, damping."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from trending_service.detection.burst import (
    benjamini_hochberg,
    burst_of,
    counted_tweets,
    expected_tweets,
    log10_tail,
)
from trending_service.signals.model import Baseline, Observed, Stream

MONTH = Baseline(total=28_000, same_hours=28_000, same_week_hours=4_000)
DAY = Stream(tweets=1_000, authors=300.0, baseline=MONTH)


def _summed_tail(count: int, mean: float, size: float) -> float:
    p = size / (size + mean)
    below = sum(
        math.exp(
            math.lgamma(k + size) - math.lgamma(size) - math.lgamma(k + 1) + size * math.log(p) + k * math.log1p(-p)
        )
        for k in range(count)
    )
    return 1 - below


@given(st.integers(1, 40), st.floats(0.01, 50), st.floats(0.2, 30))
def test_the_tail_is_that_of_the_negative_binomial(count: int, mean: float, size: float) -> None:
    """The continued fraction agrees with the sum of the probabilities, wherever that is exact enough."""
    summed = _summed_tail(count, mean, size)
    if summed > 1e-9:
        assert 10 ** log10_tail(count, mean, size) == pytest.approx(summed, rel=1e-5)


def test_a_tail_beyond_any_float_has_a_finite_logarithm() -> None:
    """A thousand tweets where one in a hundred days was expected score finitely and in order."""
    assert -4000 < log10_tail(2000, 0.01, 0.5) < log10_tail(1000, 0.01, 0.5) < -300


def test_benjamini_and_hochberg_reject_what_their_paper_rejects() -> None:
    """The 15 p-values of the example in the paper of 1995: four are rejected at 0.05."""
    values = [
        0.0001, 0.0004, 0.0019, 0.0095, 0.0201, 0.0278, 0.0298, 0.0344,
        0.0459, 0.3240, 0.4262, 0.5719, 0.6528, 0.7590, 1.0,
    ]  # fmt: skip
    rejected = benjamini_hochberg([math.log10(value) for value in reversed(values)], 0.05)
    assert rejected == [False] * 11 + [True] * 4
    assert benjamini_hochberg([], 0.05) == []


def test_the_expectation_follows_the_size_of_the_stream() -> None:
    """A term with 1 % of the baseline is expected in 1 % of the window."""
    term = Baseline(total=280, same_hours=280, same_week_hours=40)
    assert expected_tweets(term, DAY) == pytest.approx(10, rel=0.05)


def test_a_term_with_a_rhythm_is_expected_at_its_hours() -> None:
    """What is said only in the hours of the window is expected there many times as often."""
    stream = Stream(100, 50.0, Baseline(28_000, 2_800, 400))
    flat = Baseline(total=280, same_hours=28, same_week_hours=4)
    daily = Baseline(total=280, same_hours=280, same_week_hours=40)
    assert expected_tweets(daily, stream) > 5 * expected_tweets(flat, stream)


def test_an_unseen_term_is_expected_rarely_and_without_any_baseline_not_at_all_surprising() -> None:
    """The prior share is small beside a long baseline and decides alone where there is none."""
    nothing = Baseline(0, 0, 0)
    assert 0 < expected_tweets(nothing, DAY) < 0.05
    first_day = Stream(1_000, 300.0, nothing)
    assert burst_of(Observed(10, 10.0, nothing), first_day).score < 1


def test_a_flood_by_one_account_counts_little_among_many_accounts_and_much_among_four() -> None:
    """Damping is relative to how many accounts the stream has."""
    flood = Observed(60, 1.0, Baseline(0, 0, 0))
    among_many = counted_tweets(flood, DAY)
    among_four = counted_tweets(flood, Stream(100, 3.5, MONTH))
    assert among_many < 2 < 15 < among_four < 60
    assert counted_tweets(Observed(60, 55.0, flood.baseline), DAY) > 50


def test_a_frequent_term_at_its_usual_rate_scores_nothing_worth_mention() -> None:
    """Ten observed of ten expected is no burst, fifty is one."""
    usual = Baseline(total=280, same_hours=280, same_week_hours=40)
    assert burst_of(Observed(10, 10.0, usual), DAY).score < 0.5
    assert burst_of(Observed(50, 45.0, usual), DAY).score > 3
