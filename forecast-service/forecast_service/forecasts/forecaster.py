"""Forecasts with intervals that the method's own past errors justify.

The method is theta, or the last value where theta was no better than that in back-tests on the same series.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from forecast_service.forecasts.backtest import MINIMUM_TRAINING_DAYS, back_test, skill_score
from forecast_service.forecasts.conformal import conformal_intervals
from forecast_service.forecasts.history import History, history_of
from forecast_service.forecasts.methods import SEASON_DAYS, DynamicTheta, Method, Naive
from forecast_service.forecasts.model import Forecast
from forecast_service.forecasts.scale import Scale, Vector


class Forecaster:
    """Takes seconds to make, because it loads statsforecast; then forecasts in milliseconds, from any thread."""

    def __init__(self) -> None:
        self._theta = DynamicTheta()

    def forecast(
        self, observed: Sequence[float | None], horizon: int, level: float, least_half_width: float = 0.0
    ) -> Forecast:
        """Forecast ``horizon`` days after the last of ``observed`` (points by day, None in gaps).

        ``level`` in (0, 1) is the probability of the interval, which is nowhere narrower than ``least_half_width``
        points to each side. Needs at least one observed day; what too few of them allow is the caller's to say.
        """
        scale = Scale()
        history = history_of(scale.model(observed))
        naive_errors = back_test(history, Naive(), horizon, SEASON_DAYS)
        method, skill, errors = self._chosen(history, naive_errors, horizon)
        training = history.training(len(history.values))
        centre = method.fit(training, SEASON_DAYS)(training, horizon)
        intervals = conformal_intervals(errors, level)
        low, high = centre - intervals.half_widths, centre + intervals.half_widths
        if _is_young(history):
            low, high = _with_usual_range(history, low, high, level)
        value = scale.unit(centre)
        return Forecast(
            method="theta" if method is self._theta else "naive",
            skill=skill,
            values=value.tolist(),
            lows=scale.clip(np.minimum(scale.unit(low), value - least_half_width)).tolist(),
            highs=scale.clip(np.maximum(scale.unit(high), value + least_half_width)).tolist(),
            coverage=intervals.coverage,
        )

    def _chosen(self, history: History, naive_errors: Vector, horizon: int) -> tuple[Method, float | None, Vector]:
        """Return the method, theta's skill, and its errors; no skill is known after a gap or of what never moved."""
        if _is_young(history) or not np.nansum(np.abs(naive_errors)):
            return Naive(), None, naive_errors
        errors = back_test(history, self._theta, horizon, SEASON_DAYS)
        skill = skill_score(errors, naive_errors)
        return (self._theta, skill, errors) if skill is not None and skill > 0 else (Naive(), skill, naive_errors)


def _is_young(history: History) -> bool:
    """Whether too few days passed since the last long gap for a method to be trained on them."""
    return len(history.training(len(history.values))) < MINIMUM_TRAINING_DAYS


def _with_usual_range(history: History, low: Vector, high: Vector, level: float) -> tuple[Vector, Vector]:
    """Return the interval widened to the range that held the share ``level`` of all observed days.

    The back-tests are from before the gap; nobody knows yet whether the series is where it was, or where it is now.
    """
    ordered = np.sort(history.values[~np.isnan(history.values)])
    outside = max(int((len(ordered) + 1) * (1 - level) / 2), 1)
    return np.minimum(low, ordered[outside - 1]), np.maximum(high, ordered[-outside])
