"""Rolling-origin back-tests: a method is run from earlier days as if they were today, and its errors are kept."""

from __future__ import annotations

import numpy as np

from forecast_service.forecasts.history import History
from forecast_service.forecasts.methods import Method, Predictor, naive
from forecast_service.forecasts.scale import Vector

MINIMUM_TRAINING_DAYS = 10
MAXIMUM_ORIGINS = 40


def back_test(history: History, method: Method, horizon: int, season: int) -> Vector:
    """Return the errors of ``method``, forecast - observed, by origin (oldest first) and step ahead.

    The latest ``MAXIMUM_ORIGINS`` origins count; NaN stands where the day was not observed or is not over, and where
    the method skips the origin.
    """
    origins = [origin for origin in history.origins(MINIMUM_TRAINING_DAYS) if origin < len(history.values)]
    origins = origins[-MAXIMUM_ORIGINS:]
    errors = np.full((len(origins), horizon), np.nan)
    predictor: Predictor | None = None
    begins = -1
    for row, origin in enumerate(origins):
        if (len(origins) - 1 - row) % method.origin_step:
            continue
        training, start = history.training(origin), history.start(origin)
        if predictor is None or row % method.refit_every == 0 or start != begins:
            predictor, begins = fitted(method, training, season), start
        actual = history.values[origin : origin + horizon]
        errors[row, : len(actual)] = predictor(training, len(actual)) - actual
    return errors


def fitted(method: Method, training: Vector, season: int) -> Predictor:
    """Return the predictor of ``method``; where it cannot be fitted or gives no number, the last value stands in.

    Its values stay within the range of the history, widened by that range to both sides: fitted to few days, a method
    may run away from them.
    """
    try:
        predictor = method.fit(training, season)
    except ImportError:
        raise
    except Exception:  # the libraries raise plain Exception where no model fits
        predictor = naive(training, season)

    def predict(history: Vector, horizon: int) -> Vector:
        values = predictor(history, horizon)
        low, high = float(history.min()), float(history.max())
        known = np.where(np.isfinite(values), values, history[-1])
        return np.clip(known, 2 * low - high, 2 * high - low)

    return predict


def skill_score(errors: Vector, reference: Vector) -> float | None:
    """Return 1 - sum of absolute ``errors`` / sum of those of ``reference``, where both are known.

    None when the reference made no error.
    """
    both = ~np.isnan(errors) & ~np.isnan(reference)
    ours, theirs = float(np.abs(errors[both]).sum()), float(np.abs(reference[both]).sum())
    return 1 - ours / theirs if theirs > 0 else None
