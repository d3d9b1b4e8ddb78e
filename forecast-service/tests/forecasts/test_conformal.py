"""Conformal intervals: what they promise, they hold."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

from forecast_service.forecasts.conformal import Intervals, _adapted, conformal_intervals, erred
from forecast_service.forecasts.scale import Vector


def intervals(errors: Vector, level: float, spread: float = 1.0, ahead: float = 1.0) -> Intervals:
    """Return intervals where the same standard deviation was expected of every error, and another now."""
    return conformal_intervals(errors, np.full(errors.shape, spread), np.full(errors.shape[1], ahead), level)


@pytest.mark.parametrize("level", [0.5, 0.8, 0.95])
@pytest.mark.parametrize("scale", [0.6, 1.0, 1.6])
def test_the_width_is_the_quantile_of_the_errors(level: float, scale: float) -> None:
    """However wrong the expected deviations are, many errors of one distribution give its quantile."""
    errors = scale * np.random.default_rng(1).standard_normal((1000, 1))
    made = intervals(errors, level)
    assert made.half_widths[0] == pytest.approx(scale * stats.norm.ppf((1 + level) / 2), rel=0.2)
    assert made.coverage == pytest.approx(level, abs=0.03)


def test_few_errors_are_not_believed_alone() -> None:
    """Without errors the width is what the models expect; five small ones move it little, five hundred all the way."""
    wide, few, many = (intervals(np.full((count, 1), 0.5), 0.8, ahead=2.0).half_widths[0] for count in (0, 5, 500))
    assert wide == pytest.approx(2 * stats.t(10).ppf(0.9))
    assert 0.85 * wide < few < wide
    assert many == pytest.approx(2 * 0.5, rel=0.1)


def test_another_method_is_expected_to_err_as_it_did() -> None:
    """Errors of twenty expected deviations are soon what is expected; an origin knows only those that were over."""
    errors = np.full((40, 3), 20.0)
    then, now = erred(errors, np.ones((40, 3)), np.ones(3))
    assert now == pytest.approx([20.0] * 3, rel=0.05)
    assert then[:4, 2] == pytest.approx([1, 1, 1, np.sqrt((400 + 3) / 4)])
    assert conformal_intervals(errors, then, now, 0.8).half_widths[0] > 15


def test_misses_after_a_shift_widen_the_interval() -> None:
    """The same errors give a wider interval when the large ones came last."""
    errors = np.concatenate([np.full(60, 1.0) + np.arange(60) / 60, np.full(12, 5.0) + np.arange(12)])[:, np.newaxis]
    late, early = intervals(errors, 0.8), intervals(errors[::-1], 0.8)
    assert late.half_widths[0] > early.half_widths[0]


def test_coverage_knows_no_day_to_come() -> None:
    """An error of a day that was not over counts for no interval before: the hits before it are the same without it."""
    errors = np.random.default_rng(3).standard_normal((40, 7))
    later = errors.copy()
    later[-1] = 100.0
    before = intervals(errors, 0.8).coverage, intervals(later, 0.8).coverage
    assert before[0] is not None
    assert before[1] is not None
    assert before[0] - 7 / (33 * 7) - 1e-9 <= before[1] <= before[0]


def test_too_few_errors_are_not_judged() -> None:
    """Ten back-tested days say nothing of coverage."""
    assert intervals(np.arange(10.0)[:, np.newaxis], 0.95).coverage is None


def test_widths_never_narrow_with_distance() -> None:
    """A step that is expected to be surer than one nearer has its width."""
    errors = np.random.default_rng(1).standard_normal((60, 3))
    made = conformal_intervals(errors, np.ones((60, 3)), np.array([1.0, 2.0, 1.5]), 0.8)
    assert made.half_widths[1] == made.half_widths[2] > made.half_widths[0]


def test_steps_without_errors_have_the_width_of_the_next_that_has_some() -> None:
    """What is known of one distance serves the nearer ones as it is, the farther ones with what is expected of them."""
    errors = np.full((30, 7), np.nan)
    errors[:, 3] = 10.0
    widths = conformal_intervals(errors, np.ones((30, 7)), np.arange(1.0, 8.0), 0.8).half_widths
    assert widths == pytest.approx(widths[3] * np.array([4, 4, 4, 4, 7, 7, 7]) / 4)
    assert widths[3] > 4 * stats.t(10).ppf(0.9)


@pytest.mark.parametrize(("last", "widens"), [(100.0, True), (0.0, False)])
def test_the_last_observed_day_moves_the_level(last: float, *, widens: bool) -> None:
    """A miss yesterday raises the level of today's interval, and a hit lowers it."""
    errors = np.random.default_rng(5).standard_normal((40, 1))
    errors[-1] = last
    before, after = (_adapted(np.abs(errors[:count]), 0.8)[0] for count in (39, 40))
    assert (after > before) == widens
