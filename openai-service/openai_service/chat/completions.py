"""Chat answers by the upstreams or, where they fail and quoting may stand in for them, by the documents."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TypeVar

import structlog

from openai_service.billing.budget import Payer
from openai_service.billing.ledger import Ledger
from openai_service.billing.meter import Meter
from openai_service.chat.response_stream import LLM, Begun, MeteredStream, marked
from openai_service.errors import LanguageModelNeeded, NoUpstream, UpstreamError, UpstreamRefused, WrongModel
from openai_service.extractive.provider import Extractive, Json
from openai_service.metrics import FALLBACKS
from openai_service.prompt_log.service import KeptPrompts
from openai_service.protocol.chat import BUNDLED, EXTRACTIVE, ChatRequest
from openai_service.upstreams.failover import Target
from openai_service.upstreams.router import Upstreams

log = structlog.get_logger("castor.openai")
T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Asked:
    """A chat request, who pays for it, and which of our prompts made it, if one did."""

    request: ChatRequest
    payer: Payer
    targets: Sequence[Target]
    task: str | None = None
    prompt_version: str | None = None


class Chat:
    """Answers chat requests and accounts for them."""

    def __init__(
        self,
        upstreams: Upstreams,
        extractive: Extractive,
        ledger: Ledger,
        prompts: KeptPrompts,
        *,
        allow_degraded: bool,
    ) -> None:
        self._upstreams = upstreams
        self._extractive = extractive
        self._allow_degraded = allow_degraded
        self._prompts = prompts
        self.ledger = ledger

    async def complete(self, asked: Asked) -> tuple[Json, list[str] | None]:
        """Return the whole answer and what it was made without."""
        with self.metered(asked) as meter:
            answer = await self._ask(asked, meter, self._upstreams.complete, self._quote)
            return answer, LLM if meter.degraded else None

    async def stream(self, asked: Asked) -> MeteredStream:
        """Return once the answer has begun."""
        with self.metered(asked) as meter:
            meter.streamed = True
            begun = await self._ask(asked, meter, self._upstreams.stream, self._quote_in_pieces)
            meter.kept_open = True
            options = asked.request.stream_options
            show = options is not None and options.include_usage
            return MeteredStream(begun, meter, self.ledger, show_usage=show)

    @contextmanager
    def metered(self, asked: Asked) -> Iterator[Meter]:
        """Account for what is done for ``asked`` in the block."""
        request = asked.request
        with self.ledger.metered("chat", request.model, asked.payer, asked.task, asked.prompt_version) as meter:
            meter.prompt = self._prompts.of(request)
            yield meter

    async def _ask(
        self,
        asked: Asked,
        meter: Meter,
        ask: Callable[[ChatRequest, Meter, Sequence[Target]], Awaitable[T]],
        quote: Callable[[ChatRequest, Meter], Awaitable[T]],
    ) -> T:
        request = asked.request
        if asked.targets:
            try:
                return await ask(request, meter, asked.targets)
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
        meter.count_own(answer.value["usage"])
        return answer

    async def _quote_in_pieces(self, request: ChatRequest, _meter: Meter) -> Begun:
        return Begun(await self._extractive.stream(request, EXTRACTIVE), None)


class Whole:
    """An answer in one piece; a ``Production``."""

    degraded: list[str] | None = None
    cache: str | None = None

    def __init__(self, chat: Chat, asked: Asked) -> None:
        self._chat = chat
        self._asked = asked
        self._content = b""

    async def open(self) -> None:
        """See ``Production``."""
        answer, self.degraded = await self._chat.complete(self._asked)
        self._content = marked(answer, self.degraded)

    async def pieces(self) -> AsyncIterator[bytes]:
        """See ``Production``."""
        yield self._content

    async def close(self) -> None:
        """See ``Production``."""


class Streamed:
    """An answer as server-sent events; a ``Production``."""

    degraded: list[str] | None = None
    cache: str | None = None

    def __init__(self, chat: Chat, asked: Asked) -> None:
        self._chat = chat
        self._asked = asked
        self._stream: MeteredStream | None = None

    async def open(self) -> None:
        """See ``Production``."""
        self._stream = await self._chat.stream(self._asked)
        self.degraded = self._stream.degraded

    def pieces(self) -> AsyncIterator[bytes]:
        """See ``Production``."""
        assert self._stream is not None
        return self._stream.events()

    async def close(self) -> None:
        """See ``Production``."""
        if self._stream is not None:
            await self._stream.close()
