"""The chat service: who answers a request, and whether an equal request was answered before or is in flight."""

from __future__ import annotations

import asyncio
from dataclasses import replace

from castor_chassis import ServiceError
from openai_service.billing.ledger import Ledger
from openai_service.billing.payer import current_payer
from openai_service.billing.prices import Tokens
from openai_service.chat.completions import ChatCall, ChatCompletions
from openai_service.chat.response_cache import ResponseCache, ResponseLease, is_whole, request_key
from openai_service.chat.response_stream import Answer, CachedAnswer, CompleteAnswer, StreamedAnswer
from openai_service.chat.semantic_cache import SemanticCache
from openai_service.chat.single_flight import InFlightRequest, SingleFlight, Subscriber
from openai_service.errors import CallerTimedOut
from openai_service.metrics import REUSED
from openai_service.protocol.chat import ChatCompletion, ChatRequest
from openai_service.protocol.models import BUNDLED, EXTRACTIVE
from openai_service.settings import OpenAISettings
from openai_service.upstreams.failover import Target
from openai_service.upstreams.router import UpstreamRouter


class ChatService:
    """Answers chat requests.

    Raises what ``ChatCompletions`` raises; an answer from the cache or from a request in flight raises nothing of it.
    """

    def __init__(
        self,
        settings: OpenAISettings,
        router: UpstreamRouter,
        completions: ChatCompletions,
        ledger: Ledger,
        cache: ResponseCache,
        semantic: SemanticCache,
    ) -> None:
        self._settings = settings
        self._router = router
        self._completions = completions
        self._ledger = ledger
        self._cache = cache
        self._semantic = semantic
        self._in_flight = SingleFlight()

    async def complete(
        self, request: ChatRequest, *, task: str | None = None, prompt_version: str | None = None, fresh: bool = False
    ) -> ChatCompletion:
        """Return the complete answer; ``task`` and ``prompt_version`` name the prompt that made the request."""
        answer = await self.answer(request, task=task, prompt_version=prompt_version, fresh=fresh)
        try:
            content = b"".join([piece async for piece in answer.pieces()])
        finally:
            await answer.close()
        return ChatCompletion.model_validate_json(content)

    async def answer(
        self, request: ChatRequest, *, task: str | None = None, prompt_version: str | None = None, fresh: bool = False
    ) -> Answer:
        """Return the open answer, which the caller must close: JSON, or events when the request asks for a stream.

        An equal request of the same tenant gets the same bytes, unless ``fresh``.
        """
        call = ChatCall(request, current_payer(), self._targets(request.model, task), task, prompt_version)
        if fresh or not call.targets or not self._settings.chat_cache_seconds:
            return await _opened(self._produced(call))
        return await self._cached(call)

    def _targets(self, model: str, task: str | None) -> list[Target]:
        if model in (EXTRACTIVE, BUNDLED):
            return []
        return self._router.targets(model, task, default=self._settings.openai_model)

    def _produced(self, call: ChatCall) -> Answer:
        if call.request.stream:
            return StreamedAnswer(self._completions, self._ledger, call)
        return CompleteAnswer(self._completions, call)

    async def _cached(self, call: ChatCall) -> Answer:
        names = [f"{target.client.name}/{target.model}" for target in call.targets]
        exact = request_key(call.payer.tenant, call.request, names)
        key = await self._semantic.key(call.payer.tenant, call.request, names, exact)
        try:
            subscriber = await self._subscribed(key, call)
        except CallerTimedOut as error:
            # The shared call goes on for who has more time; this caller gets what it would get alone.
            return await _opened(self._produced(replace(call, failure=error)))
        if subscriber.cache:
            self._account_for_reuse(call, subscriber)
        return subscriber

    async def _subscribed(self, key: str, call: ChatCall) -> Subscriber:
        subscriber = self._join(key, call)
        try:
            await _opened(subscriber)
            failed = bool(subscriber.degraded)
        except CallerTimedOut:
            raise
        except ServiceError:
            if subscriber.leads:
                raise
            failed = True
        if failed and not subscriber.leads:
            # Another caller's request failed, or its deadline was too short for the model. All whom it failed share one
            # more, and take what that brings.
            await subscriber.close()
            subscriber = self._join(key, call)
            await _opened(subscriber)
        return subscriber

    def _join(self, key: str, call: ChatCall) -> Subscriber:
        lease = ResponseLease(self._cache, key)

        async def open_answer() -> Answer:
            content = await lease.acquire()
            if content is None or not is_whole(content, stream=call.request.stream):
                return await _opened(self._produced(call))
            return CachedAnswer(content, self._router.changes(call.request, call.targets[0]))

        async def on_complete(request: InFlightRequest) -> None:
            degraded = request.answer is not None and request.answer.degraded
            await lease.release(None if degraded else request.content)

        return self._in_flight.join(key, open_answer, on_complete)

    def _account_for_reuse(self, call: ChatCall, answer: Answer) -> None:
        REUSED.labels(answer.cache).inc()
        with self._completions.metered(call) as meter:
            meter.cache, meter.streamed, meter.degraded = answer.cache, call.request.stream, bool(answer.degraded)
            meter.local_tokens = Tokens(0, 0)
            meter.answered_by("cache", call.targets[0].model)


async def _opened(answer: Answer) -> Answer:
    """Open ``answer`` and return it; close it when that fails or is cancelled."""
    try:
        await answer.open()
    except BaseException:
        await asyncio.shield(answer.close())
        raise
    return answer
