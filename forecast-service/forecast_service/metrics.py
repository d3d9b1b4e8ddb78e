"""Metrics of forecast-service."""

from __future__ import annotations

from prometheus_client import Counter, Histogram

PREDICTIONS = Counter("castor_forecast_predictions_total", "Forecasts made", ["method"])
SECONDS = Histogram("castor_forecast_seconds", "Seconds to back-test and forecast one series")
SKILL = Histogram(
    "castor_forecast_skill",
    "1 - mean absolute error / that of the last value, in the back-tests of a forecast",
    buckets=(-0.5, -0.2, 0, 0.1, 0.2, 0.3, 0.5, 1),
)
