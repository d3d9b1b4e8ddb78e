"""What the owner of forecast-service watches."""

from __future__ import annotations

from prometheus_client import Counter, Histogram

PREDICTIONS = Counter("castor_forecast_predictions_total", "Forecasts made", ["method"])
SECONDS = Histogram("castor_forecast_seconds", "Time to back-test and forecast one series")
SKILL = Histogram(
    "castor_forecast_skill",
    "Skill against the last value in back-tests",
    buckets=(-0.5, -0.2, 0, 0.1, 0.2, 0.3, 0.5, 1),
)
