"""Gaps: what is not known is not known, neither by a back-test nor by an interval."""

from __future__ import annotations

import numpy as np
import pytest

from forecast_service.forecasts.backtest import back_test
from forecast_service.forecasts.forecaster import forecast
from forecast_service.forecasts.history import history_of
from forecast_service.forecasts.methods import METHODS, MethodName
from forecast_service.forecasts.model import Question

NAN = float("nan")
POSITIVE_OF_12 = [3, 9, 8, 2, 5, 9, 7, 10, 9, 1, 9, 0, 7, 4, 8, 3, 3, 11, 7, 8, 8, 7, 6, 10, 2, 3, 10, 2, 8, 6]
"""Of twelve tweets a day about one entity alone: thirty days, then eleven weeks of silence, then a day with eleven."""
DAYS_OF_GAP = 80


def points(positive: int) -> float:
    """ICCE of a day on which all of twelve tweets are of the entity and the others are negative."""
    return 100 * (0.5 * (positive / 12) + 0.5)


@pytest.mark.parametrize("method", ["naive", "seasonal_naive", "theta", "ets", "ces"])
@pytest.mark.parametrize("gap", [5, 60])
def test_back_tests_do_not_know_what_comes_after_a_gap(method: MethodName, gap: int) -> None:
    """Errors before the end of a gap are the same whatever follows it."""
    before = np.random.default_rng(1).normal(0, 1, 30)
    after = np.random.default_rng(2).normal(0, 1, 20)
    errors = [
        back_test(history_of(np.concatenate([before, [NAN] * gap, after + shift])), METHODS[method], 1, 7)
        for shift in (0.0, 100.0)
    ]
    # Origins on days 10 to 29 forecast a day before the gap (the last of them a day within it).
    known = ~np.isnan(errors[0][:, 0])
    shifted = np.abs(errors[0] - errors[1])[known, 0]
    assert np.count_nonzero(shifted == 0) >= 19
    assert known.sum() < len(known), "the day after the last one before the gap was not observed"


def test_a_long_gap_is_not_bridged() -> None:
    """The training after eight missing days begins anew; a gap of seven is bridged."""
    days = np.arange(20.0)
    long, short = (history_of(np.concatenate([days, [NAN] * gap, days])) for gap in (8, 7))
    assert len(long.training(len(long.values))) == 20
    assert len(short.training(len(short.values))) == 47
    assert not np.isnan(short.training(len(short.values))).any()


def test_the_interval_after_a_gap_of_months_is_as_wide_as_before() -> None:
    """One day after a long gap tells nothing of the next: no skill, and an interval that reaches what was usual."""
    before = [points(positive) for positive in POSITIVE_OF_12]
    early = forecast(Question(tuple(before), 14, 0.9))
    late = forecast(Question((*before, *[None] * DAYS_OF_GAP, points(11)), 14, 0.9))
    assert (late.method, late.skill) == ("naive", None)
    assert late.lows[0] <= points(0) <= late.highs[0], "the next day had no positive tweet"
    assert late.highs[0] - late.lows[0] >= early.highs[0] - early.lows[0]


def test_a_series_that_never_moved_claims_no_skill() -> None:
    """The width that the caller's sampling error gives is kept, and cut at the bounds."""
    made = forecast(Question((98.0,) * 40, 7, 0.9, least_half_width=5.0))
    assert made.skill is None
    assert made.lows == pytest.approx([93.0] * 7)
    assert made.highs == [100.0] * 7


def test_origins_begin_after_observed_days() -> None:
    """No back-test starts inside a gap: the real forecast starts after an observed day as well."""
    history = history_of(np.array([*range(12), NAN, NAN, *range(12)], dtype=float))
    assert history.origins(10) == [10, 11, 12, *range(15, 27)]
