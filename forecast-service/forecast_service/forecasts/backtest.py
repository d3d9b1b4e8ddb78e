"""Rolling-origin back-tests: a method is run from earlier days as if they were today, and its errors are kept."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from forecast_service.forecasts.history import History
from forecast_service.forecasts.methods import MAXIMUM_ORIGINS, Method, Predictor, naive
from forecast_service.forecasts.scale import Vector
from forecast_service.forecasts.structural import MAXIMUM_DAYS, expected

MINIMUM_TRAINING_DAYS = 10


@dataclass(frozen=True, slots=True)
class Structural:
    """What the structural models expected at each origin of the back-tests, by origin and step: the ``errors`` of their
    means and their standard deviations (``spreads``); what they expect now by step; and the weights of their kinds.
    """

    errors: Vector
    spreads: Vector
    values: Vector
    ahead: Vector
    weights: dict[str, float]


def structural_back_test(history: History, horizon: int, season: int) -> Structural:
    """Back-test the structural models; each stretch between long gaps is one pass over its days."""
    origins, end = origins_of(history), len(history.values)
    errors, spreads = (np.full((len(origins), horizon), np.nan) for _ in range(2))
    for start in {history.starts[origin - 1] for origin in origins}:
        rows = [row for row, origin in enumerate(origins) if history.starts[origin - 1] == start]
        begin, places = max(start, origins[rows[-1]] - MAXIMUM_DAYS), [origins[row] for row in rows]
        made = expected(history.bridged(begin, places[-1]), horizon, season, places[0] - begin)
        seen = np.array(places) - begin - made.first
        errors[rows] = made.means[seen] - actual_of(history, places, horizon)
        spreads[rows] = made.deviations[seen]
    begin = max(history.starts[-1], end - MAXIMUM_DAYS)
    now = expected(history.bridged(begin, end), horizon, season, end - begin)
    return Structural(errors, spreads, now.means[0], now.deviations[0], now.weights)


def actual_of(history: History, origins: list[int], horizon: int) -> Vector:
    """Return what came, by origin and step, NaN where it is not known."""
    padded = np.concatenate([history.values, np.full(horizon, np.nan)])
    return padded[np.array(origins)[:, np.newaxis] + np.arange(horizon)]


def origins_of(history: History) -> list[int]:
    """Return the latest ``MAXIMUM_ORIGINS`` days that forecasts are made from in a back-test, oldest first."""
    origins = [origin for origin in history.origins(MINIMUM_TRAINING_DAYS) if origin < len(history.values)]
    return origins[-MAXIMUM_ORIGINS:]


def back_test(history: History, method: Method, horizon: int, season: int) -> Vector:
    """Return the errors of ``method``, forecast - observed, by origin (oldest first) and step ahead.

    The origins are those of ``origins_of``; NaN stands where the day was not observed or is not over, and where
    the method skips the origin.
    """
    origins = origins_of(history)
    errors = np.full((len(origins), horizon), np.nan)
    predictor: Predictor | None = None
    begins = -1
    for row, origin in enumerate(origins):
        later = len(origins) - 1 - row
        if later >= method.origins or later % method.origin_step:
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
