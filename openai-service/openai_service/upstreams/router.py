"""The upstreams together: who is asked for what, in which order, and that each attempt is paid for."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterator, Sequence
from typing import Any, TypeVar

from openai_service.billing.ledger import Ledger
from openai_service.billing.meter import Attempt, Meter
from openai_service.billing.prices import Tokens, most_tokens
from openai_service.chat.response_stream import Begun
from openai_service.errors import UpstreamError
from openai_service.extractive.provider import Json
from openai_service.extractive.ranker import Floats
from openai_service.protocol.chat import DEFAULT, ChatRequest
from openai_service.settings import LIMIT_FIELDS, OpenAISettings
from openai_service.upstreams.client import OpenAICompatible
from openai_service.upstreams.embedding_reply import batches
from openai_service.upstreams.failover import Target, first_answer

T = TypeVar("T")
_NO_LIMIT = 2**31
_TOKENS_AROUND_TEXT = 4
"""Marks that a model puts around a text and may count, for example BERT's two."""


class Upstreams:
    """All upstreams; a target is asked only after the most it may cost is held."""

    def __init__(self, settings: OpenAISettings, upstreams: Sequence[OpenAICompatible], ledger: Ledger) -> None:
        self._settings = settings
        self._by_name = {upstream.name: upstream for upstream in upstreams}
        self._first = upstreams[0] if upstreams else None
        self._ledger = ledger

    def __bool__(self) -> bool:
        return self._first is not None

    def targets(self, model: str, task: str | None = None, *, default: str) -> list[Target]:
        """Return who answers for ``model``, in order; the task's route is for requests that name no model."""
        if self._first is None:
            return []
        routes = self._settings.routes
        # A task's kinds, summaries.media for one, share its route unless they have their own.
        names = [task or DEFAULT, (task or DEFAULT).partition(".")[0], DEFAULT] if model == DEFAULT else [model]
        route = next((routes[name] for name in names if name in routes), None)
        if not route:
            return [Target(self._first, default if model == DEFAULT else model)]
        named = [target.partition("/") for target in route]
        return [Target(self._by_name[provider], name) for provider, _, name in named]

    async def complete(self, request: ChatRequest, meter: Meter, targets: Sequence[Target]) -> Json:
        """Return the whole answer; raises what the upstreams raise, or that the budget has no room."""

        async def ask(target: Target) -> tuple[Json, Attempt]:
            body, most = self._body(request, target, meter)
            return await self._paid(meter, target, most, lambda: target.upstream.complete(body))

        answer, attempt = await self._first_answer(targets, ask, _nothing)
        attempt.count(answer.value.get("usage"))
        meter.answered_by(attempt.provider, attempt.model)
        return answer

    async def stream(self, request: ChatRequest, meter: Meter, targets: Sequence[Target]) -> Begun:
        """Return once the answer has begun; raises as ``complete`` does."""

        async def ask(target: Target) -> Begun:
            body, most = self._body(request, target, meter)
            chunks, attempt = await self._paid(meter, target, most, lambda: target.upstream.stream(body))
            return Begun(chunks, attempt)

        begun = await self._first_answer(targets, ask, lambda late: late.chunks.aclose())
        assert begun.attempt is not None
        begun.attempt.received_bytes = 0
        meter.answered_by(begun.attempt.provider, begun.attempt.model)
        return begun

    async def embed(
        self, texts: Sequence[str], dimensions: int | None, meter: Meter, targets: Sequence[Target]
    ) -> tuple[Floats, int]:
        """Return one row per text and the tokens used; only targets of one and the same model are asked."""
        same = [target for target in targets if target.model == targets[0].model]
        most = Tokens(sum(len(text.encode()) + _TOKENS_AROUND_TEXT for text in texts), 0)

        async def ask(target: Target) -> tuple[tuple[Floats, int | None], Attempt]:
            return await self._paid(meter, target, most, lambda: target.upstream.embed(texts, target.model, dimensions))

        (rows, tokens), attempt = await self._first_answer(same, ask, _nothing)
        if tokens is not None:
            attempt.count({"prompt_tokens": tokens})
        meter.answered_by(attempt.provider, attempt.model)
        return rows, attempt.used.prompt or 0

    async def close(self) -> None:
        """Close all connections."""
        for upstream in self._by_name.values():
            await upstream.close()

    async def _first_answer(
        self, targets: Sequence[Target], ask: Callable[[Target], Awaitable[T]], discard: Callable[[T], Awaitable[None]]
    ) -> T:
        return await first_answer(targets, ask, hedge_after_seconds=self._settings.hedge_after_seconds, discard=discard)

    def _body(self, request: ChatRequest, target: Target, meter: Meter) -> tuple[dict[str, Any], Tokens]:
        body = request.for_upstream(target.model)
        provider = target.upstream.settings
        limit = provider.completion_token_limit or _NO_LIMIT
        if request.max_tokens is None and request.max_completion_tokens is None:
            if self._ledger.limits_answers(meter.payer, target.model):
                body[provider.limit_field] = min(limit, self._settings.completion_token_limit)
        else:
            # The provider would refuse more than it can write; 'finish_reason' tells what was cut.
            body |= {name: min(body[name], limit) for name in LIMIT_FIELDS if body.get(name) is not None}
        return body, most_tokens(request, body, self._settings.image_token_limit)

    async def _paid(
        self, meter: Meter, target: Target, most: Tokens, call: Callable[[], Awaitable[T]]
    ) -> tuple[T, Attempt]:
        attempt = await self._ledger.begin(meter, target.upstream.name, target.model, most)
        try:
            return await call(), attempt
        except UpstreamError as error:
            attempt.unpaid = not error.maybe_charged
            raise


class PaidEmbedder:
    """One embedding model of the upstreams, as an ``Embedder``."""

    def __init__(self, upstreams: Upstreams, targets: Sequence[Target], meter: Meter) -> None:
        self._upstreams = upstreams
        self._targets = targets
        self._meter = meter
        self.name = targets[0].upstream.name
        self.model = self.space = targets[0].model
        self.version: str | None = None

    def check(self, dimensions: int | None) -> None:
        """See ``Embedder``; only the upstream knows."""

    def batches(self, texts: Sequence[str]) -> Iterator[list[str]]:
        """See ``Embedder``; whoever of the route answers can take them."""
        providers = [target.upstream.settings for target in self._targets]
        inputs = min(provider.embedding_inputs for provider in providers)
        return batches(texts, inputs=inputs, tokens=min(provider.embedding_tokens for provider in providers))

    async def embed(self, texts: Sequence[str], dimensions: int | None) -> tuple[Floats, int]:
        """See ``Embedder``; raises what the upstreams raise."""
        return await self._upstreams.embed(texts, dimensions, self._meter, self._targets)


async def _nothing(_late: object) -> None:
    pass
