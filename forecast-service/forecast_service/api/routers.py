"""The routers of the service, in the order of the contract."""

from __future__ import annotations

from forecast_service.api import backtests, charts, forecasts, indexes, polls, predictions, scenarios

ROUTERS = [one.router for one in (indexes, predictions, forecasts, polls, charts, scenarios, backtests)]
