"""Conformal intervals: what they promise, they hold."""

from __future__ import annotations

import numpy as np
import pytest

from forecast_service.forecasts.conformal import conformal_intervals


@pytest.mark.parametrize("level", [0.5, 0.8, 0.95])
def test_the_width_is_the_quantile_of_the_errors(level: float) -> None:
    """For errors of one distribution the half-width is its quantile, and the back-tests say the level."""
    errors = np.random.default_rng(1).uniform(0, 1, (400, 1))
    made = conformal_intervals(errors, level)
    assert made.half_widths[0] == pytest.approx(level, abs=0.07)
    assert made.coverage == pytest.approx(level, abs=0.04)


def test_misses_after_a_shift_widen_the_interval() -> None:
    """The same errors give a wider interval when the large ones came last."""
    errors = np.concatenate([np.full(60, 1.0) + np.arange(60) / 60, np.full(12, 5.0) + np.arange(12)])[:, np.newaxis]
    late, early = conformal_intervals(errors, 0.8), conformal_intervals(errors[::-1], 0.8)
    assert late.half_widths[0] > early.half_widths[0]


def test_too_few_errors_are_not_judged() -> None:
    """Ten back-tested days say nothing of coverage; the width is the largest error."""
    made = conformal_intervals(np.arange(10.0)[:, np.newaxis], 0.95)
    assert made.coverage is None
    assert made.half_widths[0] == 9
