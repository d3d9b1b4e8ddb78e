"""What the routes use."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

from fastapi import Depends

from castor_chassis import Principal, provided, require
from forecast_service.forecasts.posted import PostedForecasts
from forecast_service.forecasts.service import ForecastService
from forecast_service.indexes.service import IndexService
from forecast_service.polls.service import PollService


@dataclass(frozen=True, slots=True)
class Resources:
    """The services behind the routes; made when the app starts."""

    indexes: IndexService
    forecasts: ForecastService
    posted: PostedForecasts
    polls: PollService


R = Annotated[Resources, provided(Resources)]
CanRead = Annotated[Principal, Depends(require("forecasts:read"))]
