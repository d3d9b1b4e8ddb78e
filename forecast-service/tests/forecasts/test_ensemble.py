"""Weights: earned, and never by what was not over yet."""

from __future__ import annotations

import numpy as np
import pytest

from forecast_service.forecasts.ensemble import ensemble_errors, final_weights


def test_half_the_error_is_sixteen_times_the_weight() -> None:
    """Weights are proportional to the mean absolute error to the power -4 and sum to 1."""
    errors = np.stack([np.full((5, 2), 1.0), np.full((5, 2), -2.0)])
    assert final_weights(errors) == pytest.approx([16 / 17, 1 / 17])


def test_a_back_test_does_not_know_errors_of_days_to_come() -> None:
    """At the first origin weights are equal; an error three days ahead counts from the fourth origin on."""
    errors = np.full((2, 6, 3), np.nan)
    errors[:, :, 2] = np.array([[1.0], [-3.0]])
    combined = ensemble_errors(errors)[:, 2]
    assert combined[:3] == pytest.approx([-1.0] * 3)
    assert combined[3:] == pytest.approx([(81 * 1 - 3) / 82] * 3)


def test_unknown_days_stay_unknown() -> None:
    """A day that was not observed has no error, for the members and for the ensemble."""
    errors = np.ones((2, 4, 1))
    errors[:, 2] = np.nan
    assert np.isnan(ensemble_errors(errors)).tolist() == [[False], [False], [True], [False]]
