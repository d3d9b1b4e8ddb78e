"""The median of the same days of the weeks before counts where it has earned it, and knows no later day."""

from __future__ import annotations

import numpy as np
import pytest

from forecast_service.forecasts.backtest import Structural, structural_back_test
from forecast_service.forecasts.history import history_of
from forecast_service.forecasts.season_median import KIND, with_season_median

WEEK = np.array([0.0, 0.8, 1.0, 0.4, -0.4, -1.0, -0.8])


def both(values: np.ndarray) -> tuple[Structural, Structural]:
    """Return what is expected without the median and with it."""
    history = history_of(values)
    alone = structural_back_test(history, 14, 7)
    return alone, with_season_median(alone, history, 14, 7)


def spiked(seed: int, days: int = 120) -> np.ndarray:
    """Return a week with noise in which every tenth day or so is far above the others."""
    rng = np.random.default_rng(seed)
    return np.asarray(WEEK[np.arange(days) % 7] + rng.normal(0, 0.3, days) + 6 * (rng.random(days) < 0.1))


def test_days_far_from_all_others_move_it_less() -> None:
    """Of 20 series with such days the usual days are forecast better by a tenth at least."""
    alone, together = 0.0, 0.0
    for seed in range(20):
        values = spiked(seed, 134)
        made = both(values[:120])
        usual = values[120:] < 3
        alone += np.abs(made[0].values - values[120:])[usual].sum()
        together += np.abs(made[1].values - values[120:])[usual].sum()
        assert sum(made[1].weights.values()) == pytest.approx(1)
    assert together < 0.9 * alone


def test_a_level_that_wanders_is_left_to_the_models() -> None:
    """Of a random walk, old medians say less than the last days, and count nearly nothing."""
    _, made = both(np.cumsum(np.random.default_rng(1).normal(0, 1, 120)))
    assert made.weights[KIND] < 0.05


def test_no_error_of_a_back_test_knows_a_later_day() -> None:
    """What was expected after each of the first days is the same whatever the last 30 days were."""
    values = spiked(3)
    other = np.concatenate([values[:90], values[90:] + 40])
    errors = [both(one)[1].errors[:30, 0] for one in (values, other)]
    assert errors[0] == pytest.approx(errors[1])


@pytest.mark.parametrize("days", [1, 5, 11, 15, 30])
def test_few_days(days: int) -> None:
    """Any length gives numbers, and a few days give the median hardly a say."""
    alone, made = both(spiked(1, days))
    assert np.isfinite(made.values).all()
    assert made.weights[KIND] <= 0.15
    if days < 11:
        assert made.values == pytest.approx(alone.values)


def test_nothing_from_before_a_long_gap_counts() -> None:
    """After a gap of 20 days, the forecast is the same whatever the level before it was; a short gap is no obstacle."""
    gap = np.full(20, np.nan)
    made = [both(np.concatenate([spiked(1, 60) + shift, gap, spiked(2, 30)]))[1] for shift in (0, 50)]
    assert made[0].weights[KIND] > 0
    assert made[0].values == pytest.approx(made[1].values, abs=1e-3)
    holed = spiked(4)
    holed[[70, 71, 90]] = np.nan
    assert np.isfinite(both(holed)[1].values).all()
