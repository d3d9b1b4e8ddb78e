"""Structural models: what they expect on a day rests on the days before it, and is right where the truth is known."""

from __future__ import annotations

import numpy as np
import pytest

from forecast_service.forecasts.backtest import structural_back_test
from forecast_service.forecasts.history import history_of
from forecast_service.forecasts.structural import MAXIMUM_DAYS, expected

WEEK = np.array([0.0, 0.8, 1.0, 0.4, -0.4, -1.0, -0.8])


def test_no_expectation_knows_a_later_day() -> None:
    """What was expected after fifty days is the same whatever the other fifty were."""
    series = np.random.default_rng(1).normal(0, 1, 100)
    all_days, half = expected(series, 14, 7, 20), expected(series[:50], 14, 7, 20)
    assert all_days.means[:31] == pytest.approx(half.means)
    assert all_days.deviations[:31] == pytest.approx(half.deviations)


def test_a_week_a_trend_and_a_level_are_recognised() -> None:
    """Each kind of model gets the weight where the series is of its kind, and continues it."""
    rng, days = np.random.default_rng(2), np.arange(120)
    noise = rng.normal(0, 0.1, 120)
    for series, kinds, ahead in (
        (noise, ("level", "trend"), np.zeros(7)),
        (WEEK[days % 7] + noise, ("level_season", "trend_season"), WEEK[np.arange(120, 127) % 7]),
        (0.1 * days + noise, ("trend", "trend_season"), 0.1 * np.arange(120, 127)),
    ):
        made = expected(series, 7, 7, 120)
        assert sum(made.weights.values()) == pytest.approx(1)
        assert sum(made.weights[kind] for kind in kinds) > 0.9
        assert made.means[0] == pytest.approx(ahead, abs=0.25)


def test_deviations_are_those_that_come() -> None:
    """Of random walks with noise, errors at each distance are as large as expected."""
    rng, scores = np.random.default_rng(4), []
    for _ in range(40):
        series = np.cumsum(rng.normal(0, 0.5, 114)) + rng.normal(0, 1, 114)
        made = expected(series[:100], 14, 7, 100)
        scores.append((made.means[0] - series[100:]) / made.deviations[0])
    assert float(np.std(scores)) == pytest.approx(1, abs=0.12)
    assert float(np.std([one[-1] for one in scores])) == pytest.approx(1, abs=0.3)


@pytest.mark.parametrize("days", [1, 2, 13, MAXIMUM_DAYS])
def test_any_length_gives_numbers(days: int) -> None:
    """One day, a constant series and the longest one give finite numbers."""
    for series in (np.full(days, 3.0), np.random.default_rng(1).normal(0, 1, days)):
        made = expected(series, 30, 7, days)
        assert np.isfinite(made.means).all()
        assert np.isfinite(made.deviations).all()


def test_every_stretch_is_judged_by_itself() -> None:
    """Errors before a long gap are the same whatever follows it, and the other way round."""
    rng = np.random.default_rng(6)
    before, after = rng.normal(0, 1, 30), rng.normal(0, 1, 30)
    errors = [
        structural_back_test(history_of(np.concatenate([first, [np.nan] * 60, last])), 1, 7).errors[:, 0]
        for first, last in ((before, after), (before + 50, after), (before, after + 50))
    ]
    known = [one[~np.isnan(one)] for one in errors]
    assert known[0] == pytest.approx(known[1], abs=1e-6)
    assert known[0] == pytest.approx(known[2], abs=1e-6)
