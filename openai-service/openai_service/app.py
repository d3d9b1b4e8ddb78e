"""Composition root of openai-service."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from fastapi import FastAPI
from opentelemetry.sdk.trace import TracerProvider

from castor_chassis import ApiKeyVerifier, Chassis, KeySource, create_service, reveal
from openai_service import __version__
from openai_service.api.chat import BARE_PATHS, CHAT_PATH, Resources, router
from openai_service.api.tasks import TASK_PATHS, TaskDesk
from openai_service.api.tasks import router as tasks_router
from openai_service.billing.budget import Budget, Limits
from openai_service.billing.budget_repository import BudgetStore
from openai_service.billing.ledger import Ledger
from openai_service.billing.prices import Prices
from openai_service.billing.repository import LedgerStore
from openai_service.billing.token_margins import Margins
from openai_service.billing.usage_reports import UsageReports
from openai_service.chat.completions import Chat
from openai_service.chat.response_cache import AnswerStore
from openai_service.chat.semantic_cache import SemanticIndex
from openai_service.chat.service import Gateway
from openai_service.embeddings.registry import Encoders
from openai_service.extractive.provider import Extractive
from openai_service.prompt_log.service import KeptPrompts
from openai_service.prompts import load
from openai_service.protocol.chat import ChatCompletion, ChatRequest
from openai_service.protocol.sdk_errors import speak_openai
from openai_service.settings import OpenAISettings
from openai_service.tasks.definitions import NAMES, Encode, Jobs
from openai_service.tasks.prompt_fencing import Fence
from openai_service.tasks.runner import REPAIR, Tasks
from openai_service.upstreams.client import OpenAICompatible, UpstreamOptions
from openai_service.upstreams.redacting_client import RedactedUpstream
from openai_service.upstreams.router import Upstreams


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
        routers=[router, tasks_router],
        start=start,
        slow_paths=dict.fromkeys((CHAT_PATH, *TASK_PATHS), settings.chat_timeout_seconds),
        keys=keys,
        api_keys=api_keys,
        tracer_provider=tracer_provider,
    )
    speak_openai(app, BARE_PATHS)
    return app


@asynccontextmanager
async def start(chassis: Chassis[OpenAISettings]) -> AsyncIterator[Resources]:
    """Make what the routes use, and unmake it."""
    settings = chassis.settings
    encoders = Encoders(chassis, at_once=settings.encoders_at_once, queue_texts=settings.encoder_queue_texts)
    store = LedgerStore(chassis.postgres)
    accounts = BudgetStore(chassis.postgres)
    budget = Budget(
        accounts,
        Limits(settings.budgets),
        lease_seconds=settings.budget_lease_seconds,
        ahead_calls=settings.budget_ahead_calls,
        ahead_seconds=settings.budget_ahead_seconds,
    )
    reports = UsageReports(store, accounts)
    margins = Margins({provider.name: provider.hidden_prompt_tokens for provider in settings.all_providers})
    prices = Prices(settings.price_table)
    ledger = Ledger(store, prices, budget, capacity=settings.ledger_queue_rows, margins=margins)
    prompts = KeptPrompts(
        store,
        on=settings.ledger_prompts,
        characters=settings.ledger_prompt_characters,
        days=settings.ledger_prompt_days,
    )
    chassis.spawn("ledger", ledger.run)
    chassis.spawn("prompts", prompts.sweep)
    chassis.spawn("budget", lambda: budget.sweep(settings.budget_lease_seconds / 4))
    upstreams = Upstreams(settings, [_upstream(settings, options) for options in _options(settings)], ledger)
    extractive = Extractive(chassis.in_thread, encoders.ranking)
    chat = Chat(upstreams, extractive, ledger, prompts, allow_degraded=settings.allow_degraded)
    answers = AnswerStore(chassis.redis, ttl_seconds=settings.chat_cache_seconds)
    semantic = SemanticIndex(chassis.cache, on=settings.semantic_cache, ttl_seconds=settings.chat_cache_seconds or 1)
    gateway = Gateway(settings, upstreams, chat, encoders, chassis.cache, answers, semantic)
    try:
        desk = _desk(chassis, gateway, encoders.ranking)
        yield Resources(chassis, gateway, reports, desk, budget, settings.stream_heartbeat_seconds)
    finally:
        await ledger.drain()
        await upstreams.close()


def _desk(chassis: Chassis[OpenAISettings], gateway: Gateway, encoder: Encode) -> TaskDesk:
    settings = chassis.settings
    prompts = load(NAMES)
    key = reveal(settings.openai_api_key)

    async def ask(request: ChatRequest, prompt_version: str, *, fresh: bool) -> ChatCompletion:
        task = prompt_version.partition("@")[0]
        return await gateway.complete(request, task=task, prompt_version=prompt_version, fresh=fresh)

    tasks = Tasks(
        ask,
        chassis.in_thread,
        # Replicas with the same key make the same marks, so that equal prompts are equal for the cache.
        Fence(key.encode() if key else None),
        prompts[REPAIR],
        allow_degraded=settings.allow_degraded,
    )
    return TaskDesk(Jobs(prompts, encoder), tasks, chassis.in_thread)


def _upstream(settings: OpenAISettings, options: UpstreamOptions) -> OpenAICompatible:
    if settings.redact == "off":
        return OpenAICompatible(options)
    return RedactedUpstream(options, handles=settings.redact == "handles")


def _options(settings: OpenAISettings) -> list[UpstreamOptions]:
    return [
        UpstreamOptions(
            provider=provider,
            api_key=settings.key_of(provider.name),
            timeout_seconds=settings.openai_timeout_seconds,
            attempts=settings.openai_attempts,
            max_in_flight=settings.peer_max_connections,
            fail_max=settings.breaker_fail_max,
            reset_seconds=settings.breaker_reset_seconds,
        )
        for provider in settings.all_providers
    ]
