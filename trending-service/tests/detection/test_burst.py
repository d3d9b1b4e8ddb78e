"""The statistics: tails, many tests at once, expectations, damping."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from trending_service.detection.burst import benjamini_hochberg, counted_tweets, is_likely, log10_tail


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


@given(st.lists(st.tuples(st.integers(1, 400), st.floats(0.01, 50), st.floats(0.2, 30)), min_size=1))
def test_many_tails_at_once_are_those_of_one_by_one(asked: list[tuple[int, float, float]]) -> None:
    """What is called likely is; what is not is unlikely or lies where the fraction does not converge fast."""
    counts, means, sizes = (np.array(column, dtype=float) for column in zip(*asked, strict=True))
    exact = np.array([log10_tail(*one) for one in asked])
    sure = is_likely(counts, means, sizes, np.full(len(asked), -1.0))
    assert not (sure & (exact < -1.0 - 1e-6)).any()
    far = means / (means + sizes) < (counts + 1) / (counts + sizes + 2)
    assert sure[far & (exact > -1.0 + 1e-6)].all()


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


def test_tests_that_are_left_out_count_too() -> None:
    """The rate holds for all tests, also for those whose p-values are not worth listing."""
    values = [math.log10(0.01), math.log10(0.02)]
    assert benjamini_hochberg(values, 0.05) == [True, True]
    assert benjamini_hochberg(values, 0.05, of=100) == [False, False]


def test_a_flood_by_one_account_counts_little_among_many_accounts_and_much_among_four() -> None:
    """Damping is relative to how many accounts the stream has."""
    among_many = counted_tweets(60, 1.0, 300.0)
    among_four = counted_tweets(60, 1.0, 3.5)
    assert among_many < 2 < 15 < among_four < 60
    assert counted_tweets(60, 55.0, 300.0) > 50
    assert counted_tweets(0, 0.0, 300.0) == 0
