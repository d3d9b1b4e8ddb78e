"""Series whose past errors say too little of what comes: the interval says so."""

from __future__ import annotations

import numpy as np
import pytest

from forecast_service.forecasts.forecaster import forecast
from forecast_service.forecasts.model import Forecast, Question


def calm(days: int, level: float = 30.0) -> list[float]:
    return [float(level + noise) for noise in np.random.default_rng(8).normal(0, 2, days)]


@pytest.mark.parametrize("days", [1, 2, 3, 5])
@pytest.mark.parametrize("bounds", [(0.0, 100.0), None])
def test_a_level_that_jumped_last_week_may_stay_or_go_back(days: int, bounds: tuple[float, float] | None) -> None:
    """Whichever of the two levels the next day has, it lies within the interval, and the answer says why."""
    values = [*calm(60), *(70 + noise for noise in (1.0, -1.0, 0.0, 2.0, -2.0)[:days])]
    made = forecast(Question(tuple(values), 7, bounds=bounds))
    assert made.lows[0] < 30 < 70 < made.highs[0]
    assert "recent_jump" in made.notes(0.8)


def test_a_first_event_after_silence_may_be_the_only_one() -> None:
    """Fifty-nine days of zero and one of one: zero lies within the interval."""
    made = forecast(Question((*[0.0] * 59, 1.0), 7, bounds=None))
    assert made.lows[0] <= 0 <= 1 <= made.highs[0]


@pytest.mark.parametrize("seed", range(5))
def test_ordinary_noise_is_no_jump(seed: int) -> None:
    """Days that moved as before, and growth by a constant share, carry no such note."""
    rng = np.random.default_rng(seed)
    assert not forecast(Question(tuple(50 + rng.normal(0, 5, 60)), 7, method="naive")).has_recent_jump
    growth = Question(tuple(1.2**day for day in range(60)), 7, bounds=None, method="naive")
    assert not forecast(growth).has_recent_jump


def test_a_jump_is_forgotten_after_a_week() -> None:
    """Eight days after it the new level is the level."""
    made = forecast(Question((*calm(60), *calm(8, 70)), 7, method="naive"))
    assert not made.has_recent_jump


def test_days_ahead_without_a_known_error_have_a_width() -> None:
    """Of a series that is observed once a week only the seventh day ahead was ever tested: the first is as wide."""
    values = [
        50 + noise if day % 7 == 0 else None for day, noise in enumerate(np.random.default_rng(2).normal(0, 3, 155))
    ]
    made = forecast(Question(tuple(values), 14))
    assert all(high - low > 3 for low, high in zip(made.lows, made.highs, strict=True))


@pytest.mark.parametrize("share", [0.0, 0.0004, 0.003])
def test_small_shares_are_not_lifted_to_half_a_percent(share: float) -> None:
    """Shares far below half a percent are forecast near what they are, and zero is within the interval of zeros."""
    rng = np.random.default_rng(4)
    values = tuple(float(value) for value in rng.poisson(share * 10_000, 60) / 10_000)
    made = forecast(Question(values, 7, bounds=(0.0, 1.0)))
    assert all(abs(value - share) <= 0.4 * share + 1e-5 for value in made.values)
    assert all(low <= share <= high for low, high in zip(made.lows, made.highs, strict=True))


def test_intervals_that_held_too_little_say_so() -> None:
    """The note compares the back-tested coverage with the promise."""
    made = Forecast("naive", 0.1, [], [], [], coverage=0.65)
    assert made.notes(0.8) == ["intervals_too_narrow"]
    assert made.notes(0.7) == []
