"""Forecasts: bounded, calibrated, deterministic, and no better than they are."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest

from forecast_service.forecasts.forecaster import forecast
from forecast_service.forecasts.methods import MethodName
from forecast_service.forecasts.model import Question
from forecast_service.forecasts.scale import Scale


def weekly(days: int, seed: int, noise: float = 2.0) -> list[float]:
    rng = np.random.default_rng(seed)
    return [float(50 + 10 * np.sin(day * 2 * np.pi / 7) + rng.normal(0, noise)) for day in range(days)]


def test_weekly_rhythm_is_found_with_skill() -> None:
    """A series with a weekly rhythm is forecast by the ensemble, with skill, and near the truth."""
    series = weekly(104, seed=1)
    made = forecast(Question(tuple(series[:90]), 14, 0.8))
    assert made.method == "ensemble"
    assert made.skill is not None
    assert made.skill > 0.2
    assert np.abs(np.array(made.values) - np.array(series[90:])).mean() < 4


def test_random_walk_claims_no_skill() -> None:
    """Where the last value is as good, it is the forecast or the advantage is small."""
    rng = np.random.default_rng(3)
    walk = list(50 + np.cumsum(rng.normal(0, 0.5, 90)))
    made = forecast(Question(tuple(walk), 14, 0.8))
    assert made.skill is not None
    assert made.skill < 0.15


def test_intervals_hold_what_they_promise() -> None:
    """Over many series the 80 % interval holds about 80 % of what came."""
    held = []
    for seed in range(30):
        series = weekly(104, seed=100 + seed, noise=4.0)
        made = forecast(Question(tuple(series[:90]), 14, 0.8))
        held += [low <= value <= high for low, value, high in zip(made.lows, series[90:], made.highs, strict=True)]
    assert 0.70 <= float(np.mean(held)) <= 0.93


@pytest.mark.parametrize("extreme", [0.0, 100.0])
def test_bounds_stay_within_0_and_100(extreme: float) -> None:
    """At the ends of the scale nothing leaves it, and low <= value <= high."""
    rng = np.random.default_rng(5)
    series = [float(np.clip(extreme + rng.normal(0, 3), 0, 100)) for _ in range(40)]
    made = forecast(Question(tuple(series), 30, 0.95))
    for low, value, high in zip(made.lows, made.values, made.highs, strict=True):
        assert 0 <= low <= value <= high <= 100


def test_intervals_widen_with_distance_and_level() -> None:
    """The interval never narrows further ahead, nor when more certainty is asked for."""
    series = weekly(60, seed=7)
    narrow, wide = forecast(Question(tuple(series), 14, 0.6)), forecast(Question(tuple(series), 14, 0.95))
    logit = [
        np.log(high / (100 - high)) - np.log(low / (100 - low))
        for low, high in zip(narrow.lows, narrow.highs, strict=True)
    ]
    assert all(later >= earlier - 1e-9 for earlier, later in pairwise(logit))
    assert all(w >= n for w, n in zip(wide.highs, narrow.highs, strict=True))


def test_gaps_are_bridged_and_the_same_input_gives_the_same_output() -> None:
    """Missing days change neither determinism nor the number of points."""
    series: list[float | None] = [None, *weekly(50, seed=9), None]
    series[10] = series[11] = None
    first, second = forecast(Question(tuple(series), 7, 0.8)), forecast(Question(tuple(series), 7, 0.8))
    assert first == second
    assert len(first.values) == 7


def test_models_earn_their_weight() -> None:
    """On a weekly rhythm, what knows the week outweighs the rest by far; the weights sum to 1."""
    made = forecast(Question(tuple(weekly(90, seed=1)), 7))
    assert sum(made.weights.values()) == pytest.approx(1)
    assert sum(made.weights[kind] for kind in ("level_season", "trend_season", "season_median")) > 0.99


@pytest.mark.parametrize("method", ["seasonal_naive", "theta", "ets", "ces", "prophet"])
def test_a_method_can_be_chosen(method: MethodName) -> None:
    """Each method alone finds a weekly rhythm, and says its own skill and coverage."""
    series = weekly(104, seed=1)
    made = forecast(Question(tuple(series[:90]), 14, 0.8, method=method))
    assert (made.method, made.weights) == (method, {method: 1.0})
    assert made.skill is not None
    assert made.skill > 0.1
    assert made.coverage is not None
    assert np.abs(np.array(made.values) - np.array(series[90:])).mean() < 5


def test_coverage_is_that_of_the_back_tests() -> None:
    """On noise without change the back-tested coverage is near what was asked for."""
    held = [forecast(Question(tuple(weekly(104, seed=200 + seed)), 7, 0.8)).coverage for seed in range(10)]
    assert 0.72 <= float(np.mean([share for share in held if share is not None])) <= 0.88


def test_a_level_shift_last_week_is_followed() -> None:
    """Six days after a jump of forty points the forecast stands at the new level, and the interval covers both."""
    rng = np.random.default_rng(8)
    series = [30 + rng.normal(0, 2) for _ in range(60)] + [70 + rng.normal(0, 2) for _ in range(6)]
    made = forecast(Question(tuple(series), 7, 0.8))
    assert all(60 < value < 80 for value in made.values)
    quiet = forecast(Question(tuple(series[:60]), 7, 0.8))
    assert made.highs[0] - made.lows[0] > quiet.highs[0] - quiet.lows[0]


def test_without_bounds_values_may_go_anywhere() -> None:
    """A series below zero is forecast in its own unit."""
    series = [value - 500 for value in weekly(104, seed=1)]
    made = forecast(Question(tuple(series[:90]), 14, 0.8, bounds=None))
    assert np.abs(np.array(made.values) - np.array(series[90:])).mean() < 4


def test_ten_years_are_forecast_from_their_end() -> None:
    """What is older than the training changes nothing."""
    recent = weekly(700, seed=3)
    long = forecast(Question((*[90.0, 10.0] * 1477, *recent), 7))
    assert long.values == pytest.approx(forecast(Question(tuple(recent), 7)).values)


def test_few_days_of_noise_are_forecast_with_skill() -> None:
    """Of thirty days without any pattern the mean is expected, not the last value."""
    values = [3, 9, 8, 2, 5, 9, 7, 10, 9, 1, 9, 0, 7, 4, 8, 3, 3, 11, 7, 8, 8, 7, 6, 10, 2, 3, 10, 2, 8, 6]
    made = forecast(Question(tuple(50 + 50 * value / 12 for value in values), 14, 0.9))
    assert made.skill is not None
    assert made.skill > 0.2


def test_counts_are_forecast_in_shares_of_themselves() -> None:
    """Counts that double every ten days are forecast to grow on, never below zero, with an interval that grows too."""
    rng = np.random.default_rng(2)
    growing = tuple(float(count) for count in rng.poisson(20 * 2 ** (np.arange(60) / 10)))
    made = forecast(Question(growing, 7, bounds=None))
    assert made.values[-1] > 1.1 * growing[-1]
    falling = forecast(Question(growing[::-1], 30, 0.95, bounds=None))
    assert min(falling.lows) >= 0
    assert max(falling.values) < 40


def test_counts_that_fall_to_nothing_keep_an_interval() -> None:
    """A trend that leads below zero is forecast as zero, up to what may still come: never as zero for certain."""
    counts = np.random.default_rng(0).poisson(500 * 0.93 ** np.arange(60))
    made = forecast(Question(tuple(counts.tolist()), 30, 0.8, bounds=None))
    assert made.values[-1] < 10
    assert all(low <= value < high for low, value, high in zip(made.lows, made.values, made.highs, strict=True))


def test_a_value_below_zero_ends_the_logarithm() -> None:
    """A series that was below zero once may go there again."""
    series = tuple(np.linspace(59, -1, 61).tolist())
    assert forecast(Question(series, 14, bounds=None)).values[-1] < -5


@pytest.mark.parametrize(
    ("bounds", "centre"), [((0.0, 41e6), 20.0), ((-1e12, 1e12), 0.0), ((-5e9, 100.0), 20.0)], ids=str
)
def test_bounds_that_are_far_away_change_nothing(bounds: tuple[float, float], centre: float) -> None:
    """Counts of 20 and a population as their bound, or a trend and a bound at infinity: as without the bounds."""
    drawn = np.random.default_rng(4).normal(0, 3, 60) + np.linspace(-10, 10, 60) + centre
    series = tuple(np.round(drawn if bounds[0] < 0 else np.abs(drawn)).tolist())
    made, free = (forecast(Question(series, 7, bounds=one)) for one in (bounds, None))
    assert len(set(made.values)) > 1
    if centre == 0 or bounds[0] == 0:
        assert made == free
    assert bounds[0] <= min(made.lows) <= max(made.highs) <= bounds[1]


@pytest.mark.parametrize("values", [(0.0, 0.0, 0.0, 5.0, 0.0), (100.0, 100.0, 90.0, 100.0), (50.0, 50.0)])
def test_values_at_a_bound_are_told_apart_on_the_logit_scale(values: tuple[float, ...]) -> None:
    """Most days may lie at a bound, or at one value: the bounds are no wider for that."""
    assert Scale.of((0.0, 100.0), values).edge is not None
