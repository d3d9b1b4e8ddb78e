"""The router: which upstreams are asked for a call and in which order, with every attempt metered and paid for."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, replace
from typing import TypeVar

from castor_chassis import Invalid
from openai_service.billing.ledger import Ledger
from openai_service.billing.meter import Attempt, Meter
from openai_service.billing.prices import Tokens, bound_tokens
from openai_service.errors import UpstreamError
from openai_service.protocol.chat import ChatRequest, is_fetchable, is_inline
from openai_service.protocol.messages import ChunkStream, Json
from openai_service.protocol.models import DEFAULT
from openai_service.protocol.vectors import Floats
from openai_service.settings import OpenAISettings
from openai_service.upstreams.chunk_stream import UpstreamChunkStream
from openai_service.upstreams.client import OutgoingChat, UpstreamClient
from openai_service.upstreams.embedding_reply import most_tokens
from openai_service.upstreams.failover import Target, first_answer
from openai_service.upstreams.fitting import asked_changes, fit
from openai_service.upstreams.profiles import LIMIT_FIELDS

T = TypeVar("T")
_NO_LIMIT = 2**31
_TOKENS_AROUND_TEXT = 4
"""Delimiters that a model puts around a text and may count, for example BERT's two."""


@dataclass(frozen=True, slots=True)
class OpenedStream:
    """A stream that has begun, and the attempt that it is metered by; None where it costs nothing."""

    chunks: ChunkStream
    attempt: Attempt | None


class UpstreamRouter:
    """All upstreams. A target is asked only after the most that it can cost is held.

    Every call raises the last target's error (see ``first_answer``), or ``BudgetSpent``, ``BudgetHeld`` or
    ``PriceUnknown`` when the budget does not allow it.
    """

    def __init__(self, settings: OpenAISettings, clients: Sequence[UpstreamClient], ledger: Ledger) -> None:
        self._settings = settings
        self._clients = {client.name: client for client in clients}
        self._first = clients[0] if clients else None
        self._ledger = ledger

    def __bool__(self) -> bool:
        """True when there is an upstream."""
        return self._first is not None

    def targets(self, model: str, task: str | None = None, *, default: str) -> list[Target]:
        """Return the targets for ``model``, in order; the task's route applies to requests that name no model."""
        if self._first is None:
            return []
        routes = self._settings.routes
        # The kinds of a task, for example summaries.media, share its route unless they have their own.
        names = [task or DEFAULT, (task or DEFAULT).partition(".")[0], DEFAULT] if model == DEFAULT else [model]
        route = next((routes[name] for name in names if name in routes), None)
        if not route:
            return [Target(self._first, default if model == DEFAULT else model)]
        named = [target.partition("/") for target in route]
        return [Target(self._clients[provider], name) for provider, _, name in named]

    async def complete(self, request: ChatRequest, meter: Meter, targets: Sequence[Target]) -> Json:
        """Return the complete answer."""

        async def ask(target: Target) -> tuple[tuple[Json, list[str]], Attempt]:
            chat, bound = self._outgoing(request, target, meter)
            return await self._metered(meter, target, bound, lambda: _fitted(target, chat, target.client.complete))

        (answer, changes), attempt = await self._first_answer(targets, ask, _discard_nothing)
        attempt.count(answer.value.get("usage"))
        meter.adapted = asked_changes(request, changes)
        meter.answered_by(attempt.provider, attempt.model)
        return answer

    async def stream(self, request: ChatRequest, meter: Meter, targets: Sequence[Target]) -> OpenedStream:
        """Return the stream once its first chunk has arrived; usage is always asked for, as the ledger needs it."""

        async def ask(target: Target) -> tuple[tuple[UpstreamChunkStream, list[str]], Attempt]:
            chat, bound = self._outgoing(request, target, meter)
            chat.body["stream_options"] = {"include_usage": True}
            return await self._metered(meter, target, bound, lambda: _fitted(target, chat, target.client.stream))

        (chunks, changes), attempt = await self._first_answer(targets, ask, lambda late: late[0][0].aclose())
        if not self._clients[attempt.provider].fitter.profile(attempt.model).hides_thoughts:
            attempt.received_bytes = 0
        meter.adapted = asked_changes(request, changes)
        meter.answered_by(attempt.provider, attempt.model)
        return OpenedStream(chunks, attempt)

    def changes(self, request: ChatRequest, target: Target) -> tuple[str, ...]:
        """Return what of ``request`` the target does not get, or under another name; for answers from the cache."""
        body = {**request.for_upstream(target.model), "stream_options": {}}
        return asked_changes(request, fit(body, target.client.fitter.profile(target.model))[1])

    async def embed(
        self,
        texts: Sequence[str | list[int]],
        dimensions: int | None,
        meter: Meter,
        targets: Sequence[Target],
    ) -> tuple[Floats, int]:
        """Return one row per text and the tokens used; only targets of the first one's model are asked.

        ``texts`` are as they leave.
        """
        same_model = [target for target in targets if target.model == targets[0].model]
        bound = Tokens(sum(most_tokens(text) + _TOKENS_AROUND_TEXT for text in texts), 0)

        async def ask(target: Target) -> tuple[tuple[Floats, int | None], Attempt]:
            return await self._metered(
                meter, target, bound, lambda: target.client.embed(texts, target.model, dimensions)
            )

        (rows, tokens), attempt = await self._first_answer(same_model, ask, _discard_nothing)
        if tokens is not None:
            attempt.count({"prompt_tokens": tokens})
        meter.answered_by(attempt.provider, attempt.model)
        return rows, attempt.used.prompt or 0

    async def close(self) -> None:
        """Close all connections."""
        for client in self._clients.values():
            await client.close()

    async def _first_answer(
        self, targets: Sequence[Target], ask: Callable[[Target], Awaitable[T]], discard: Callable[[T], Awaitable[None]]
    ) -> T:
        return await first_answer(targets, ask, hedge_after_seconds=self._settings.hedge_after_seconds, discard=discard)

    def _outgoing(self, request: ChatRequest, target: Target, meter: Meter) -> tuple[OutgoingChat, Tokens]:
        """Return what leaves for the target, and the most tokens that it can count; redaction may lengthen a text."""
        self._check_images(request)
        body = request.for_upstream(target.model)
        provider = target.client.settings
        limit = provider.completion_token_limit or _NO_LIMIT
        if request.max_tokens is None and request.max_completion_tokens is None:
            if self._ledger.bounds_answers(meter.payer, target.model):
                body[provider.limit_field] = min(limit, self._settings.completion_token_limit)
        else:
            # The provider would refuse more than it can write; 'finish_reason' says when an answer was cut.
            body |= {name: min(body[name], limit) for name in LIMIT_FIELDS if body.get(name) is not None}
        chat = target.client.outgoing_chat(body)
        return chat, bound_tokens(request, chat.body, self._settings.image_token_limit)

    def _check_images(self, request: ChatRequest) -> None:
        if self._settings.image_sources == "data" and not all(map(is_inline, request.image_urls())):
            raise Invalid(reason="An image is given as a data:image/ URL here: models fetch none")
        if not all(map(is_fetchable, request.image_urls())):
            raise Invalid(reason="An image is given as a data:image/ URL, or by an https URL at a public host name")

    async def _metered(
        self, meter: Meter, target: Target, bound: Tokens, call: Callable[[], Awaitable[T]]
    ) -> tuple[T, Attempt]:
        attempt = await self._ledger.begin(meter, target.client.name, target.model, bound)
        try:
            return await call(), attempt
        except UpstreamError as error:
            attempt.unpaid = not error.maybe_charged
            raise


async def _fitted(
    target: Target, chat: OutgoingChat, send: Callable[[OutgoingChat], Awaitable[T]]
) -> tuple[T, list[str]]:
    """Return what ``send`` returns for what the target accepts of ``chat``, and what was dropped or renamed."""
    return await target.client.fitter.send(chat.body, lambda body: send(replace(chat, body=body)))


async def _discard_nothing(_late: object) -> None:
    pass
