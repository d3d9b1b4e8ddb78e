"""Composition root of forecast-service."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import partial

from fastapi import FastAPI
from opentelemetry.sdk.trace import TracerProvider

from castor_chassis import ApiKeyVerifier, Chassis, KeySource, Wakeup, create_service, every
from castor_chassis.storage.migrations import check_migrated
from forecast_service import __version__
from forecast_service.analyses.repository import AnalysisRepository
from forecast_service.analyses.worker import AnalysisWriter
from forecast_service.api import TAGS
from forecast_service.api.resources import Resources
from forecast_service.api.routers import ROUTERS
from forecast_service.backtests.repository import BacktestRepository
from forecast_service.backtests.service import BacktestService
from forecast_service.backtests.worker import BacktestRunner
from forecast_service.charts.service import ChartService
from forecast_service.clients.rag import RagClient
from forecast_service.clients.trending import TrendingClient
from forecast_service.clients.twitter import TwitterClient
from forecast_service.forecasts.pool import ForecastPool
from forecast_service.forecasts.posted import PostedForecasts
from forecast_service.forecasts.repository import PredictionRepository
from forecast_service.forecasts.service import KEPT_DAYS, ForecastService
from forecast_service.indexes.change_service import ChangeService
from forecast_service.indexes.service import IndexService
from forecast_service.polls.repository import PollSetRepository
from forecast_service.polls.service import PollService
from forecast_service.polls.sets import PollSetService
from forecast_service.processes import Processes
from forecast_service.scenarios.service import ScenarioService
from forecast_service.settings import ForecastSettings

_SWEEP_SECONDS = 3600


def create_app(
    settings: ForecastSettings,
    *,
    keys: KeySource | None = None,
    api_keys: ApiKeyVerifier | None = None,
    tracer_provider: TracerProvider | None = None,
) -> FastAPI:
    """Return the app."""
    return create_service(
        settings,
        package="forecast_service",
        version=__version__,
        summary="ICCE, momentum and forecasts with honest intervals.",
        routers=ROUTERS,
        tags=TAGS,
        start=start,
        keys=keys,
        api_keys=api_keys,
        tracer_provider=tracer_provider,
    )


@asynccontextmanager
async def start(chassis: Chassis[ForecastSettings]) -> AsyncIterator[Resources]:
    """Build what the routes use; the forecasting library loads in the background."""
    settings = chassis.settings
    peer = chassis.peer("twitter-service", settings.twitter_url)
    twitter = TwitterClient(peer, timeout_seconds=settings.counts_timeout_seconds)
    trending = TrendingClient(
        chassis.peer("trending-service", settings.trending_url), timeout_seconds=settings.trends_timeout_seconds
    )
    index_service = IndexService(twitter, settings.alpha, settings.smoothing)
    processes = Processes(settings.fit_processes)
    pool = ForecastPool(processes, remembered=settings.forecasts_remembered)
    chassis.load("forecaster", pool.warm_up)
    limits = {"minimum_days": settings.minimum_days, "maximum_age_days": settings.maximum_age_days}
    stored = PredictionRepository(chassis.postgres)
    entity_forecasts = ForecastService(index_service, stored, pool, history_days=settings.history_days, **limits)
    wakeup, jobs = Wakeup(), BacktestRepository(chassis.postgres)
    runner = BacktestRunner(jobs, processes, wakeup, minimum_days=settings.minimum_days)
    chassis.spawn_under_lease("run_backtests", runner.run)
    chassis.spawn("prediction_retention", every(_SWEEP_SECONDS, partial(stored.forget, KEPT_DAYS)))
    _write_analyses(chassis, twitter)
    posted = PostedForecasts(pool, **limits)
    try:
        yield Resources(
            indexes=index_service,
            changes=ChangeService(processes, trending, settings.trends_timeout_seconds),
            forecasts=entity_forecasts,
            posted=posted,
            backtests=BacktestService(jobs, entity_forecasts, posted, wakeup, settings.minimum_days),
            polls=PollService(processes),
            poll_sets=PollSetService(PollSetRepository(chassis.postgres)),
            scenarios=ScenarioService(index_service, processes, settings.history_days, settings.maximum_age_days),
            charts=ChartService(entity_forecasts, twitter, processes),
            in_thread=chassis.in_thread,
        )
    finally:
        processes.close()


def _write_analyses(chassis: Chassis[ForecastSettings], twitter: TwitterClient) -> None:
    settings, organisations = chassis.settings, chassis.settings.analysis_organisations.split()
    if settings.rag_url is not None and organisations:
        rag = RagClient(chassis.peer("rag-service", settings.rag_url))
        ready = partial(check_migrated, chassis.postgres, chassis.package)
        analyses = AnalysisRepository(chassis.postgres)
        chassis.spawn("write_analyses", AnalysisWriter(analyses, rag, twitter, organisations, ready).run)
