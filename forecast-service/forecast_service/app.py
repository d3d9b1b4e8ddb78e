"""Composition root of forecast-service."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import cast

from fastapi import FastAPI

from castor_chassis import Chassis, KeySource, create_service
from forecast_service import __version__
from forecast_service.api import predictions as routes
from forecast_service.clients.twitter import TwitterClient
from forecast_service.forecasts.forecaster import Forecaster
from forecast_service.forecasts.repository import PredictionStore
from forecast_service.forecasts.service import Outlook
from forecast_service.settings import ForecastSettings


def create_app(settings: ForecastSettings, *, keys: KeySource | None = None) -> FastAPI:
    """Return the app."""
    return create_service(
        settings,
        package="forecast_service",
        version=__version__,
        summary="ICCE, momentum and forecasts with honest intervals.",
        routers=[routes.router],
        start=start,
        keys=keys,
    )


@asynccontextmanager
async def start(chassis: Chassis) -> AsyncIterator[Outlook]:
    """Build what the routes use; the forecasting library loads in the background."""
    settings = cast(ForecastSettings, chassis.settings)
    peer = chassis.peer("twitter-service", settings.twitter_url)
    twitter = TwitterClient(peer, timeout_seconds=settings.counts_timeout_seconds)
    forecaster = chassis.load("forecaster", Forecaster)
    yield Outlook(twitter, PredictionStore(chassis.postgres), forecaster, chassis.in_thread, settings)
