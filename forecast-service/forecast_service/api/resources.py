"""What the routes use."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Annotated, Any

from fastapi import Depends

from castor_chassis import Principal, provided, require
from forecast_service.backtests.service import BacktestService
from forecast_service.charts.service import ChartService
from forecast_service.forecasts.posted import PostedForecasts
from forecast_service.forecasts.service import ForecastService
from forecast_service.indexes.change_service import ChangeService
from forecast_service.indexes.service import IndexService
from forecast_service.polls.service import PollService
from forecast_service.polls.sets import PollSetService
from forecast_service.scenarios.service import ScenarioService


@dataclass(frozen=True, slots=True)
class Resources:
    """The services behind the routes; made when the app starts."""

    indexes: IndexService
    changes: ChangeService
    forecasts: ForecastService
    posted: PostedForecasts
    backtests: BacktestService
    polls: PollService
    poll_sets: PollSetService
    scenarios: ScenarioService
    charts: ChartService
    in_thread: Callable[..., Awaitable[Any]]


R = Annotated[Resources, provided(Resources)]
CanRead = Annotated[Principal, Depends(require("forecasts:read"))]
PLATFORM = "default"


def org_of(principal: Principal) -> str:
    """Return the organisation that a caller acts for: the platform's for services, and for tokens that say none."""
    return principal.org or PLATFORM
