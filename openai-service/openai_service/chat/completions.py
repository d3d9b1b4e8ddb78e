"""Chat completions by the upstreams or, where they fail and a fallback is allowed, by the extractive provider."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TypeVar

import structlog

from openai_service.billing.ledger import Ledger
from openai_service.billing.meter import Meter
from openai_service.billing.payer import Payer
from openai_service.errors import LanguageModelNeeded, NoUpstream, UpstreamError, UpstreamRefused, WrongModel
from openai_service.extractive.provider import ExtractiveProvider
from openai_service.metrics import FALLBACKS
from openai_service.prompt_log.service import PromptLog
from openai_service.protocol.chat import ChatRequest
from openai_service.protocol.messages import Json
from openai_service.protocol.models import BUNDLED, EXTRACTIVE
from openai_service.upstreams.failover import Target
from openai_service.upstreams.router import OpenedStream, UpstreamRouter

log = structlog.get_logger("castor.openai")
T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class ChatCall:
    """A chat request, who pays for it, who is asked, and the task and prompt that it was made from, if any.

    ``failure`` is what asking the targets came to already; they are then not asked again.
    """

    request: ChatRequest
    payer: Payer
    targets: Sequence[Target]
    task: str | None = None
    prompt_version: str | None = None
    failure: UpstreamError | None = None


class ChatCompletions:
    """Answers chat calls and meters them.

    Both ways to answer raise what ``UpstreamRouter`` raises, and where no upstream may answer ``NoUpstream``,
    ``LanguageModelNeeded`` or ``WrongModel``.
    """

    def __init__(
        self,
        router: UpstreamRouter,
        extractive: ExtractiveProvider,
        ledger: Ledger,
        prompt_log: PromptLog,
        *,
        allow_degraded: bool,
    ) -> None:
        self._router = router
        self._extractive = extractive
        self._ledger = ledger
        self._prompt_log = prompt_log
        self._allow_degraded = allow_degraded

    async def complete(self, call: ChatCall) -> tuple[Json, Meter]:
        """Return the complete answer, and its meter, which has ended."""
        with self.metered(call) as meter:
            answer = await self._ask(call, meter, self._router.complete, self._quote)
            return answer, meter

    async def stream(self, call: ChatCall) -> tuple[OpenedStream, Meter]:
        """Return the stream once it has begun, and its meter, which the caller must end."""
        with self.metered(call) as meter:
            meter.streamed = True
            opened = await self._ask(call, meter, self._router.stream, self._quote_as_stream)
            meter.kept_open = True
            return opened, meter

    @contextmanager
    def metered(self, call: ChatCall) -> Iterator[Meter]:
        """Account for ``call``, which is answered in the block."""
        request = call.request
        with self._ledger.metered("chat", request.model, call.payer, call.task, call.prompt_version) as meter:
            meter.prompt = self._prompt_log.excerpt(request)
            yield meter

    async def _ask(
        self,
        call: ChatCall,
        meter: Meter,
        ask: Callable[[ChatRequest, Meter, Sequence[Target]], Awaitable[T]],
        quote: Callable[[ChatRequest, Meter], Awaitable[T]],
    ) -> T:
        request = call.request
        if call.targets:
            try:
                if call.failure is not None:
                    raise call.failure
                return await ask(request, meter, call.targets)
            except UpstreamError as error:
                refused = isinstance(error, UpstreamRefused)
                if refused or not self._allow_degraded or request.structured_field():
                    raise
                meter.fallback_reason = error.code
                FALLBACKS.labels(error.code).inc()
                log.warning("answered_without_upstream", code=error.code, reason=error.details.get("reason"))
        self._check_offline(request)
        meter.answered_by(self._extractive.name, EXTRACTIVE)
        meter.degraded = meter.free = True
        return await quote(request, meter)

    def _check_offline(self, request: ChatRequest) -> None:
        if request.model == BUNDLED:
            raise WrongModel(model=BUNDLED, makes="embeddings", wanted="chat", instead=EXTRACTIVE)
        if request.model != EXTRACTIVE and not self._allow_degraded:
            raise NoUpstream(model=request.model)
        field = request.structured_field()
        if field is not None:
            raise LanguageModelNeeded(field=field)

    async def _quote(self, request: ChatRequest, meter: Meter) -> Json:
        answer = await self._extractive.complete(request, EXTRACTIVE)
        meter.count_local(answer.value["usage"])
        return answer

    async def _quote_as_stream(self, request: ChatRequest, _meter: Meter) -> OpenedStream:
        return OpenedStream(await self._extractive.stream(request, EXTRACTIVE), None)
