"""Composition root of openai-service."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from fastapi import FastAPI
from opentelemetry.sdk.trace import TracerProvider

from castor_chassis import ApiKeyVerifier, Chassis, KeySource, create_service
from openai_service import __version__
from openai_service.api import TAGS, chat, embeddings, models, tasks, usage
from openai_service.api.resources import Resources
from openai_service.embeddings.registry import EncoderRegistry
from openai_service.embeddings.service import EmbeddingService
from openai_service.protocol.sdk_errors import use_sdk_errors
from openai_service.settings import OpenAISettings
from openai_service.upstreams.router import UpstreamRouter
from openai_service.wiring.billing import create_billing
from openai_service.wiring.chat import create_chat, create_tasks
from openai_service.wiring.upstreams import create_clients, known_models


def create_app(
    settings: OpenAISettings,
    *,
    keys: KeySource | None = None,
    api_keys: ApiKeyVerifier | None = None,
    tracer_provider: TracerProvider | None = None,
) -> FastAPI:
    """Return the app; nothing is contacted or loaded before it starts."""
    app = create_service(
        settings,
        package="openai_service",
        version=__version__,
        summary="Every LLM and embedding call, in the OpenAI shape.",
        routers=[chat.router, embeddings.router, models.router, usage.router, tasks.router],
        tags=TAGS,
        start=start,
        slow_paths=dict.fromkeys((chat.CHAT_PATH, *tasks.TASK_PATHS), settings.chat_timeout_seconds),
        keys=keys,
        api_keys=api_keys,
        tracer_provider=tracer_provider,
    )
    use_sdk_errors(app, {chat.CHAT_PATH, embeddings.EMBEDDINGS_PATH, models.MODELS_PATH})
    return app


@asynccontextmanager
async def start(chassis: Chassis[OpenAISettings]) -> AsyncIterator[Resources]:
    """Yield what the routes use; at the end write the ledger and close the upstreams."""
    settings = chassis.settings
    encoders = EncoderRegistry(chassis, at_start=settings.encoders_at_start, queue_texts=settings.encoder_queue_texts)
    billing = create_billing(chassis)
    router = UpstreamRouter(settings, create_clients(settings), billing.ledger)
    chat_service = create_chat(chassis, billing, router, encoders.ranking_encoder)
    try:
        yield Resources(
            chat=chat_service,
            embeddings=EmbeddingService(settings, router, encoders, billing.ledger, chassis.cache),
            models=known_models(settings),
            tasks=create_tasks(chassis, chat_service, encoders.ranking_encoder),
            reports=billing.reports,
            prompt_log=billing.prompt_log,
            in_thread=chassis.in_thread,
            heartbeat_seconds=settings.stream_heartbeat_seconds,
        )
    finally:
        await billing.ledger.drain()
        await router.close()
