"""Sampling errors: few tweets say little."""

from __future__ import annotations

from datetime import date

import numpy as np
import pytest

from forecast_service.indexes.icce import icce_by_day
from forecast_service.indexes.model import DayCount
from forecast_service.indexes.sampling import band, icce_error, isn_error, share_error


def counted(tweets: int) -> DayCount:
    """A day with 40 % positive, 30 % negative, and a sixth of all tweets."""
    return DayCount(date(2026, 5, 1), tweets, tweets, tweets * 4 // 10, tweets * 3 // 10, tweets * 6)


def test_a_day_of_five_tweets_is_not_a_day_of_five_thousand() -> None:
    """The same shares give a band some thirty times as wide from a thousandth of the tweets."""
    few, many = icce_error(counted(10), 0.5), icce_error(counted(10_000), 0.5)
    assert 25 < few / many < 35


@pytest.mark.parametrize("tweets", [30, 300])
def test_errors_are_those_of_repeated_samples(tweets: int) -> None:
    """Drawn many times from one conversation, ISN and a share scatter by the errors that one sample states."""
    rng = np.random.default_rng(4)
    drawn = rng.multinomial(tweets, [0.4, 0.3, 0.3], size=4000)
    scatter = np.std((drawn[:, 0] - drawn[:, 1]) / tweets)
    assert isn_error(round(tweets * 0.4), round(tweets * 0.3), tweets) == pytest.approx(scatter, rel=0.1)
    assert share_error(tweets // 5, tweets) == pytest.approx(np.std(rng.binomial(tweets, 0.2, 4000) / tweets), rel=0.1)


def test_unanimous_tweets_are_not_exact() -> None:
    """Four tweets of one opinion leave several points of doubt; so does a share of 0 or 1."""
    assert icce_error(DayCount(date(2026, 5, 1), 4, 4, 0, 0, 4), 0.5) > 4
    assert share_error(0, 0) > 0.3
    assert share_error(5, 5) > 0.1


def test_bands_stay_in_their_bounds() -> None:
    """A band is symmetric, but is cut where no value can be."""
    assert band(50, 1, 0, 100) == pytest.approx((48.04, 51.96), abs=0.001)
    assert band(1, 1, 0, 100)[0] == 0
    assert band(0.99, 0.2, 0, 1)[1] == 1


def test_the_error_of_the_average_is_smaller_than_that_of_a_day() -> None:
    """Smoothing with 0.3 leaves about 0.42 of a day's error in the long run (the root of 0.3 / 1.7)."""
    last = icce_by_day([counted(100)] * 40)[-1]
    assert last.sampling_error is not None
    assert last.smoothed_error is not None
    assert last.smoothed_error / last.sampling_error == pytest.approx((0.3 / 1.7) ** 0.5, abs=0.001)
