"""Forecasts of ICCE with intervals that the method's own past errors justify.

The method is theta, or the last value where theta was no better than that in back-tests on the same series. The
interval is split conformal over the errors of these back-tests.
"""

from __future__ import annotations

from collections.abc import Sequence

from forecast_service.forecasts.backtest import conformal_half_widths, rolling_origin_errors, skill_score
from forecast_service.forecasts.methods import DynamicTheta, Method, naive, to_logit, to_points
from forecast_service.forecasts.model import Forecast


class Forecaster:
    """Takes seconds to make, because it loads statsforecast; then forecasts in milliseconds, from any thread."""

    def __init__(self) -> None:
        self._theta = DynamicTheta()

    def forecast(self, observed: Sequence[float | None], horizon: int, level: float) -> Forecast:
        """Forecast ``horizon`` days after the last of ``observed`` (points by day, None in gaps).

        ``level`` in (0, 1) is the probability of the interval. Needs at least ``MINIMUM_TRAINING_DAYS`` + 1
        observed days.
        """
        series, known = to_logit(observed)
        methods: dict[str, Method] = {"theta": self._theta, "naive": naive}
        errors = {name: rolling_origin_errors(method, series, known, horizon) for name, method in methods.items()}
        skill = skill_score(errors["theta"], errors["naive"])
        best = "theta" if skill is not None and skill > 0 else "naive"
        centre = methods[best](series, horizon)
        half = conformal_half_widths(errors[best], level)
        return Forecast(best, skill, to_points(centre), to_points(centre - half), to_points(centre + half))
