"""Composition root of trending-service."""

from __future__ import annotations

from fastapi import FastAPI
from opentelemetry.sdk.trace import TracerProvider

from castor_chassis import ApiKeyVerifier, KeySource, create_service
from trending_service import __version__
from trending_service.api import TAGS, coordination, status, stream, timelines, topics
from trending_service.api import watches as watch_routes
from trending_service.settings import TrendingSettings
from trending_service.wiring.services import start


def create_app(
    settings: TrendingSettings,
    *,
    keys: KeySource | None = None,
    api_keys: ApiKeyVerifier | None = None,
    tracer_provider: TracerProvider | None = None,
) -> FastAPI:
    """Return the app; ``keys`` replaces auth-service's in tests."""
    return create_service(
        settings,
        package="trending_service",
        version=__version__,
        summary="What is bursting now in the stream of tweets, and why.",
        routers=[
            topics.router,
            timelines.router,
            coordination.router,
            stream.router,
            watch_routes.router,
            status.router,
        ],
        slow_paths={stream.STREAM_PATH: settings.stream_seconds},
        tags=TAGS,
        start=start,
        keys=keys,
        api_keys=api_keys,
        tracer_provider=tracer_provider,
    )
