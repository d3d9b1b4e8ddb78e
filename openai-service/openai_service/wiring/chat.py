"""Composes the chat service and the task service, which asks it."""

from __future__ import annotations

from castor_chassis import Chassis, reveal
from openai_service.chat.completions import ChatCompletions
from openai_service.chat.response_cache import ResponseCache
from openai_service.chat.semantic_cache import SemanticCache
from openai_service.chat.service import ChatService
from openai_service.extractive.provider import ExtractiveProvider
from openai_service.prompts import load
from openai_service.protocol.chat import ChatCompletion, ChatRequest
from openai_service.settings import OpenAISettings
from openai_service.tasks.definitions import NAMES, RankingEncoder, TaskDefinitions
from openai_service.tasks.prompt_fencing import PromptFence
from openai_service.tasks.runner import REPAIR, TaskRunner
from openai_service.tasks.service import TaskService
from openai_service.upstreams.router import UpstreamRouter
from openai_service.wiring.billing import Billing


def create_chat(
    chassis: Chassis[OpenAISettings], billing: Billing, router: UpstreamRouter, encoder: RankingEncoder
) -> ChatService:
    """Return the chat service; ``encoder`` ranks the quotes of the extractive provider."""
    settings = chassis.settings
    extractive = ExtractiveProvider(chassis.in_thread, encoder)
    completions = ChatCompletions(
        router, extractive, billing.ledger, billing.prompt_log, allow_degraded=settings.allow_degraded
    )
    ttl = settings.chat_cache_seconds
    cache = ResponseCache(chassis.redis, ttl_seconds=ttl)
    semantic = SemanticCache(chassis.cache, enabled=settings.semantic_cache, ttl_seconds=ttl or 1)
    return ChatService(settings, router, completions, billing.ledger, cache, semantic)


def create_tasks(chassis: Chassis[OpenAISettings], chat: ChatService, encoder: RankingEncoder) -> TaskService:
    """Return the task service; ``encoder`` ranks the sentences of the fallback."""
    settings = chassis.settings
    prompts = load(NAMES)
    key = reveal(settings.openai_api_key)

    async def ask(request: ChatRequest, prompt_version: str, *, fresh: bool) -> ChatCompletion:
        task = prompt_version.partition("@")[0]
        return await chat.complete(request, task=task, prompt_version=prompt_version, fresh=fresh)

    runner = TaskRunner(
        ask,
        chassis.in_thread,
        # Replicas with the same key make the same marks, so that equal prompts are equal for the response cache.
        PromptFence(key.encode() if key else None),
        prompts[REPAIR],
        allow_degraded=settings.allow_degraded,
    )
    return TaskService(TaskDefinitions(prompts, encoder), runner, chassis.in_thread)
