"""Metrics of forecast-service."""

from __future__ import annotations

from prometheus_client import Counter, Gauge, Histogram

PREDICTIONS = Counter("castor_forecast_predictions_total", "Forecasts made", ["method"])
ANALYSES = Counter("castor_forecast_analyses_total", "Analyses of forecasts by outcome: stored, refused", ["outcome"])
ANALYSES_WAITING = Gauge("castor_forecast_analyses_waiting", "Analyses of forecasts that rag-service does not have yet")
SECONDS = Histogram("castor_forecast_seconds", "Seconds to back-test and forecast one series")
SKILL = Histogram(
    "castor_forecast_skill",
    "1 - mean absolute error / that of the last value, in the back-tests of a forecast",
    buckets=(-0.5, -0.2, 0, 0.1, 0.2, 0.3, 0.5, 1),
)
