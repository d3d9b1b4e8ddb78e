"""The index: formula, gaps, smoothing."""

from __future__ import annotations

from datetime import date, timedelta

import pytest

from forecast_service.indexes.icce import icce_at, icce_by_day, icce_of_span, latest_icce, trend
from forecast_service.indexes.model import DayCount

DAY = date(2026, 5, 1)


def count(place: int, tweets: int, positive: int, negative: int, total: int, scored: int | None = None) -> DayCount:
    return DayCount(
        DAY + timedelta(days=place), tweets, tweets if scored is None else scored, positive, negative, total
    )


def test_icce_of_the_published_example() -> None:
    """P .40, N .30, 500 of 3000 tweets give ISN .10, ICR .1667 and ICCE 35.83."""
    (day,) = icce_by_day([count(0, 500, 200, 150, 3000)])
    assert day.isn == pytest.approx(0.10)
    assert day.icr == pytest.approx(0.1667, abs=1e-4)
    assert day.icce == pytest.approx(35.83, abs=0.005)


def test_days_together_weigh_each_tweet_the_same() -> None:
    """Two days are the index of their tweets as if written on one; a gap adds nothing; silence alone has no index."""
    days = [count(0, 3, 3, 0, 10), count(1, 300, 60, 150, 1000), count(2, 0, 0, 0, 0)]
    together = icce_of_span(days)
    (one_day,) = icce_by_day([count(2, 303, 63, 150, 1010)])
    assert together is not None
    assert (together.icce, together.sampling_error) == (one_day.icce, one_day.sampling_error)
    silent = icce_of_span([count(0, 0, 0, 0, 50)])
    assert silent is not None
    assert silent.icce is None
    assert icce_of_span([]) is None


def test_smoothing_and_momentum_of_the_published_series() -> None:
    """The series .358 ... .330 smooths to .358 .362 .346 .332 .327 .337 .335 with lambda .3."""
    values = [0.358, 0.370, 0.310, 0.298, 0.315, 0.360, 0.330]
    counts = [count(place, 1000, round(v * 1000), 1000 - round(v * 1000), 1000) for place, v in enumerate(values)]
    days = icce_by_day(counts, alpha=1.0, smoothing=0.3)
    assert [day.icce for day in days] == pytest.approx([100 * value for value in values])
    smoothed = [round((day.smoothed or 0) / 100, 3) for day in days]
    assert smoothed == [0.358, 0.362, 0.346, 0.332, 0.327, 0.337, 0.335]
    momenta = [round((day.momentum or 0) / 100, 3) for day in days[1:]]
    assert momenta == [0.004, -0.015, -0.014, -0.005, 0.010, -0.002]


def test_smoothing_is_an_exponential_average_over_observed_days() -> None:
    """A gap leaves the average as it was; the next observed day continues from it."""
    days = icce_by_day([count(0, 10, 10, 0, 10), count(1, 0, 0, 0, 0), count(2, 10, 0, 10, 10)], smoothing=0.3)
    assert [day.icce for day in days] == [100.0, None, 50.0]
    assert days[2].smoothed == pytest.approx(0.3 * 50 + 0.7 * 100)
    assert days[2].momentum == pytest.approx(85 - 100)


@pytest.mark.parametrize(
    ("counted", "icce"),
    [
        (count(0, 0, 0, 0, 0), None),
        (count(0, 5, 0, 0, 9, scored=0), None),
        (count(0, 0, 0, 0, 9), None),
        (count(0, 9, 9, 0, 9), 100.0),
        (count(0, 9, 0, 9, 9), 50.0),
    ],
)
def test_extremes_and_gaps(counted: DayCount, icce: float | None) -> None:
    """Silence of all, silence of one and unscored tweets give no index; the ends of the scale are reached."""
    assert icce_by_day([counted])[0].icce == icce


def test_trend_needs_more_than_a_point() -> None:
    """Up, down and stable by the last momentum, the predecessor's 'down' included."""
    up = icce_by_day([count(0, 10, 0, 10, 20), count(1, 10, 10, 0, 20)])
    down = icce_by_day([count(0, 10, 10, 0, 20), count(1, 10, 0, 10, 20)])
    flat = icce_by_day([count(0, 10, 5, 5, 20), count(1, 10, 5, 5, 20)])
    assert [trend(up), trend(down), trend(flat), trend([])] == ["up", "down", "stable", "stable"]
    assert latest_icce([]) is None


def test_silence_is_no_index_and_no_gap() -> None:
    """On a day without a tweet of the entity its share is 0 and its sentiment unknown; 25 points would be invented."""
    silent, gap, unscored = icce_by_day([count(0, 0, 0, 0, 9), count(1, 0, 0, 0, 0), count(2, 5, 0, 0, 9, scored=0)])
    assert (silent.is_silent, silent.is_gap, silent.icr, silent.isn, silent.smoothed) == (True, False, 0.0, None, None)
    assert [(day.is_silent, day.is_gap) for day in (gap, unscored)] == [(False, True), (False, True)]


def test_silence_leaves_the_average_as_it_was() -> None:
    """Momentum goes on from the last day that has an index."""
    days = icce_by_day([count(0, 10, 10, 0, 10), count(1, 0, 0, 0, 10), count(2, 10, 0, 10, 10)], smoothing=0.3)
    assert days[2].momentum == pytest.approx(-15)


def test_other_weights_of_the_published_example() -> None:
    """With alpha 1 the index is ISN' (55 points), with alpha 0 it is ICR (16.67 points)."""
    assert icce_at(0.10, 500 / 3000, 1) == pytest.approx(55)
    assert icce_at(0.10, 500 / 3000, 0) == pytest.approx(16.667, abs=0.001)
    assert icce_at(0.10, 500 / 3000, 0.5) == pytest.approx(35.83, abs=0.005)
