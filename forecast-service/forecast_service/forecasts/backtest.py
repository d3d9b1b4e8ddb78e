"""Rolling-origin back-tests: a method is run from earlier days as if they were today, and its errors are kept."""

from __future__ import annotations

import numpy as np

from forecast_service.forecasts.history import History
from forecast_service.forecasts.methods import Method, Predictor
from forecast_service.forecasts.scale import Vector

MINIMUM_TRAINING_DAYS = 10
MAXIMUM_ORIGINS = 40
REFIT_EVERY = 10
"""Parameters are estimated anew every so many origins; between, those of an earlier origin meet the newer values."""


def back_test(history: History, method: Method, horizon: int, season: int) -> Vector:
    """Return the errors of ``method``, forecast - observed, by origin (oldest first) and step ahead.

    The latest ``MAXIMUM_ORIGINS`` origins count; NaN stands where the day was not observed or is not over.
    """
    origins = history.origins(MINIMUM_TRAINING_DAYS)
    origins = [origin for origin in origins if origin < len(history.values)][-MAXIMUM_ORIGINS:]
    errors = np.full((len(origins), horizon), np.nan)
    predictor: Predictor | None = None
    fitted_from = -1
    for row, origin in enumerate(origins):
        training, start = history.training(origin), history.starts[origin - 1]
        if predictor is None or row % REFIT_EVERY == 0 or start != fitted_from:
            predictor, fitted_from = method.fit(training, season), start
        actual = history.values[origin : origin + horizon]
        errors[row, : len(actual)] = predictor(training, len(actual)) - actual
    return errors


def skill_score(errors: Vector, reference: Vector) -> float | None:
    """Return 1 - sum of absolute ``errors`` / sum of those of ``reference``; None when the latter is 0."""
    ours, theirs = float(np.nansum(np.abs(errors))), float(np.nansum(np.abs(reference)))
    return 1 - ours / theirs if theirs > 0 else None
