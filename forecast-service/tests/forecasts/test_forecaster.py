"""Forecasts: bounded, calibrated, deterministic, and no better than they are."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest

from forecast_service.forecasts.forecaster import Forecaster


@pytest.fixture(scope="module")
def forecaster() -> Forecaster:
    return Forecaster()


def weekly(days: int, seed: int, noise: float = 2.0) -> list[float]:
    rng = np.random.default_rng(seed)
    return [float(50 + 10 * np.sin(day * 2 * np.pi / 7) + rng.normal(0, noise)) for day in range(days)]


def test_weekly_rhythm_is_found_with_skill(forecaster: Forecaster) -> None:
    """A series with a weekly rhythm is forecast by theta, with skill, and near the truth."""
    series = weekly(104, seed=1)
    made = forecaster.forecast(series[:90], 14, 0.8)
    assert made.method == "theta"
    assert made.skill is not None
    assert made.skill > 0.2
    assert np.abs(np.array(made.values) - np.array(series[90:])).mean() < 4


def test_random_walk_claims_no_skill(forecaster: Forecaster) -> None:
    """Where the last value is as good, it is the forecast or theta's advantage is small."""
    rng = np.random.default_rng(3)
    walk = list(50 + np.cumsum(rng.normal(0, 0.5, 90)))
    made = forecaster.forecast(walk, 14, 0.8)
    assert made.skill is not None
    assert made.skill < 0.15


def test_intervals_hold_what_they_promise(forecaster: Forecaster) -> None:
    """Over many series the 80 % interval holds about 80 % of what came."""
    held = []
    for seed in range(30):
        series = weekly(104, seed=100 + seed, noise=4.0)
        made = forecaster.forecast(series[:90], 14, 0.8)
        held += [low <= value <= high for low, value, high in zip(made.lows, series[90:], made.highs, strict=True)]
    assert 0.70 <= float(np.mean(held)) <= 0.93


@pytest.mark.parametrize("extreme", [0.0, 100.0])
def test_bounds_stay_within_0_and_100(forecaster: Forecaster, extreme: float) -> None:
    """At the ends of the scale nothing leaves it, and low <= value <= high."""
    rng = np.random.default_rng(5)
    series = [float(np.clip(extreme + rng.normal(0, 3), 0, 100)) for _ in range(40)]
    made = forecaster.forecast(series, 30, 0.95)
    for low, value, high in zip(made.lows, made.values, made.highs, strict=True):
        assert 0 <= low <= value <= high <= 100


def test_intervals_widen_with_distance_and_level(forecaster: Forecaster) -> None:
    """The interval never narrows further ahead, nor when more certainty is asked for."""
    series = weekly(60, seed=7)
    narrow, wide = forecaster.forecast(series, 14, 0.6), forecaster.forecast(series, 14, 0.95)
    logit = [
        np.log(high / (100 - high)) - np.log(low / (100 - low))
        for low, high in zip(narrow.lows, narrow.highs, strict=True)
    ]
    assert all(later >= earlier - 1e-9 for earlier, later in pairwise(logit))
    assert all(w >= n for w, n in zip(wide.highs, narrow.highs, strict=True))


def test_gaps_are_bridged_and_the_same_input_gives_the_same_output(forecaster: Forecaster) -> None:
    """Missing days change neither determinism nor the number of points."""
    series: list[float | None] = [None, *weekly(50, seed=9), None]
    series[10] = series[11] = None
    first, second = forecaster.forecast(series, 7, 0.8), forecaster.forecast(series, 7, 0.8)
    assert first == second
    assert len(first.values) == 7
