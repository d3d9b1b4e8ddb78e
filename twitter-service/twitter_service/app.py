"""The app of twitter-service."""

from __future__ import annotations

from fastapi import FastAPI
from opentelemetry.sdk.trace import TracerProvider

from castor_chassis import ApiKeyVerifier, KeySource, create_service
from twitter_service import __version__
from twitter_service.api import (
    TAGS,
    authors,
    collections,
    counts,
    datasets,
    entities,
    exports,
    imports,
    searches,
    tweets,
    usage,
)
from twitter_service.settings import TwitterSettings
from twitter_service.wiring.service import start


def create_app(
    settings: TwitterSettings,
    *,
    keys: KeySource | None = None,
    api_keys: ApiKeyVerifier | None = None,
    tracer_provider: TracerProvider | None = None,
) -> FastAPI:
    """Return the service; nothing is contacted before it starts."""
    resources = (imports, tweets, datasets, counts, exports, authors, entities, searches, usage, collections)
    return create_service(
        settings,
        package="twitter_service",
        version=__version__,
        summary="Tweets in, the tweet feed out.",
        routers=[resource.router for resource in resources],
        tags=TAGS,
        start=start,
        slow_paths={
            "/v1/twitter/imports": settings.import_timeout_seconds,
            exports.router.prefix: settings.export_timeout_seconds,
        },
        keys=keys,
        api_keys=api_keys,
        tracer_provider=tracer_provider,
    )
