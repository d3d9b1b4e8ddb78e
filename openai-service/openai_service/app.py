"""Composition root of openai-service."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import cast

from fastapi import FastAPI

from castor_chassis import ApiKeyVerifier, Chassis, KeySource, create_service, reveal
from openai_service import __version__
from openai_service.embeddings import loaded_or_none
from openai_service.encoder import BundledEncoder
from openai_service.fence import Fence
from openai_service.gateway import Gateway
from openai_service.jobs import NAMES, Encode, Jobs
from openai_service.ledger import Ledger, Prices
from openai_service.prompts import load
from openai_service.providers import Extractive
from openai_service.reports import UsageReports
from openai_service.routes import CHAT_PATH, Resources, router
from openai_service.routes_tasks import TASK_PATHS, TaskDesk
from openai_service.routes_tasks import router as tasks_router
from openai_service.settings import OpenAISettings
from openai_service.store import LedgerStore
from openai_service.tasks import REPAIR, Tasks
from openai_service.upstream import OPENAI_URL, OpenAICompatible, UpstreamOptions


def create_app(
    settings: OpenAISettings, *, keys: KeySource | None = None, api_keys: ApiKeyVerifier | None = None
) -> FastAPI:
    """Return the app; nothing is contacted or loaded before it starts."""
    return create_service(
        settings,
        package="openai_service",
        version=__version__,
        summary="Every LLM and embedding call, in the OpenAI shape.",
        routers=[router, tasks_router],
        start=start,
        slow_paths=dict.fromkeys((CHAT_PATH, *TASK_PATHS), settings.chat_timeout_seconds),
        keys=keys,
        api_keys=api_keys,
    )


@asynccontextmanager
async def start(chassis: Chassis) -> AsyncIterator[Resources]:
    """Make what the routes use, and unmake it."""
    settings = cast(OpenAISettings, chassis.settings)
    encoder = chassis.load("encoder", BundledEncoder.load)
    store = LedgerStore(chassis.postgres)
    ledger = Ledger(store, Prices(settings.price_table), capacity=settings.ledger_queue_rows)
    chassis.spawn("ledger", ledger.run)
    upstream = OpenAICompatible(_options(settings)) if settings.has_upstream else None
    extractive = Extractive(chassis.in_thread, lambda: loaded_or_none(encoder))
    gateway = Gateway(settings, upstream, extractive, encoder, chassis.in_thread, chassis.cache, ledger)
    try:
        yield Resources(chassis, gateway, UsageReports(store), _desk(chassis, gateway, lambda: loaded_or_none(encoder)))
    finally:
        await ledger.drain()
        if upstream is not None:
            await upstream.close()


def _desk(chassis: Chassis, gateway: Gateway, encoder: Encode) -> TaskDesk:
    settings = cast(OpenAISettings, chassis.settings)
    prompts = load(NAMES)
    key = reveal(settings.openai_api_key)
    tasks = Tasks(
        lambda request, version: gateway.complete(request),  # noqa: ARG005
        chassis.in_thread,
        # Replicas with the same key make the same marks, so that equal prompts are equal for the cache.
        Fence(key.encode() if key else None),
        prompts[REPAIR],
        allow_degraded=settings.allow_degraded,
    )
    return TaskDesk(Jobs(prompts, encoder), tasks, chassis.in_thread)


def _options(settings: OpenAISettings) -> UpstreamOptions:
    return UpstreamOptions(
        base_url=settings.openai_base_url or OPENAI_URL,
        api_key=reveal(settings.openai_api_key),
        timeout_seconds=settings.openai_timeout_seconds,
        attempts=settings.openai_attempts,
        max_in_flight=settings.peer_max_connections,
        fail_max=settings.breaker_fail_max,
        reset_seconds=settings.breaker_reset_seconds,
    )
