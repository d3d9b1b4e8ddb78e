"""Which model answers, what happens when it does not, and what it cost."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass
from typing import TypeVar

import structlog

from castor_chassis import Cache, ServiceError
from openai_service.embeddings import Bundled, Embedder, UpstreamEmbedder, Vectors, embed, loaded
from openai_service.encoder import BundledEncoder
from openai_service.errors import (
    LanguageModelNeeded,
    NoUpstream,
    UpstreamTimeout,
    UpstreamUnavailable,
    WrongModel,
)
from openai_service.extractive import Floats
from openai_service.ledger import Ledger, Meter
from openai_service.metrics import FALLBACKS
from openai_service.providers import ChatProvider, Chunk, ChunkStream, Extractive
from openai_service.schemas import (
    BUNDLED,
    DEFAULT,
    EXTRACTIVE,
    ChatCompletion,
    ChatRequest,
    EmbeddingRequest,
    Model,
    ModelList,
)
from openai_service.settings import OpenAISettings
from openai_service.upstream import OpenAICompatible

log = structlog.get_logger("castor.openai")
T = TypeVar("T")
LLM = ["llm"]
EMBEDDINGS = ["embeddings"]


@dataclass(frozen=True)
class Embedded:
    """Vectors, and whether another model than the one asked for made them."""

    vectors: Vectors
    degraded: list[str] | None


class MeteredStream:
    """A stream that is accounted for when it ends, however it ends."""

    def __init__(self, chunks: ChunkStream, meter: Meter, ledger: Ledger, *, show_usage: bool) -> None:
        self._chunks = chunks
        self._meter = meter
        self._ledger = ledger
        self._show_usage = show_usage
        self._open = True
        self.degraded = LLM if meter.degraded else None

    async def __aiter__(self) -> AsyncIterator[Chunk]:
        try:
            async for chunk in self._chunks:
                self._meter.count(chunk.get("usage"))
                if chunk.get("choices") or self._show_usage:
                    yield {**chunk, "degraded": self.degraded} if self.degraded else chunk
        except ServiceError as error:
            self._meter.status = error.code
            raise
        else:
            self._end()

    async def aclose(self) -> None:
        """Stop the model, if it still writes, and close the account."""
        if self._open and self._meter.status == "ok":
            self._meter.status = "cancelled"
        self._end()
        await self._chunks.aclose()

    def _end(self) -> None:
        if self._open:
            self._open = False
            self._ledger.end(self._meter)


class Gateway:
    """Routes each call to the upstream or to what needs none."""

    def __init__(
        self,
        settings: OpenAISettings,
        upstream: OpenAICompatible | None,
        extractive: Extractive,
        encoder: asyncio.Task[BundledEncoder],
        in_thread: Callable[..., Awaitable[Floats]],
        cache: Cache,
        ledger: Ledger,
    ) -> None:
        self._settings = settings
        self._upstream = upstream
        self._extractive = extractive
        self._encoder = encoder
        self._in_thread = in_thread
        self._cache = cache
        self._ledger = ledger

    async def complete(self, request: ChatRequest) -> ChatCompletion:
        """Return the whole answer."""
        with self._ledger.metered("chat", request.model) as meter:
            completion = await self._ask(request, meter, lambda who, model: who.complete(request, model))
            meter.count(completion.usage.model_dump() if completion.usage else None)
            return completion.model_copy(update={"degraded": LLM}) if meter.degraded else completion

    async def stream(self, request: ChatRequest) -> MeteredStream:
        """Return once the answer has begun."""
        with self._ledger.metered("chat", request.model) as meter:
            meter.streamed = True
            chunks = await self._ask(request, meter, lambda who, model: who.stream(request, model))
            meter.kept_open = True
            wanted = request.stream_options is not None and request.stream_options.include_usage
            return MeteredStream(chunks, meter, self._ledger, show_usage=wanted)

    async def _ask(self, request: ChatRequest, meter: Meter, call: Callable[[ChatProvider, str], Awaitable[T]]) -> T:
        """Ask the upstream and, where it fails and quoting may stand in for it, the documents."""
        if self._upstream is not None and request.model not in (EXTRACTIVE, BUNDLED):
            model = self._settings.openai_model if request.model == DEFAULT else request.model
            meter.provider, meter.model = self._upstream.name, model
            try:
                return await call(self._upstream, model)
            except (UpstreamUnavailable, UpstreamTimeout) as error:
                if not self._settings.allow_degraded or request.structured_field():
                    raise
                meter.fallback_reason = error.code
                FALLBACKS.labels(error.code).inc()
                log.warning("answered_without_upstream", code=error.code, reason=error.details.get("reason"))
        self._check_offline(request)
        meter.provider, meter.model = self._extractive.name, EXTRACTIVE
        meter.degraded = meter.free = True
        return await call(self._extractive, EXTRACTIVE)

    def _check_offline(self, request: ChatRequest) -> None:
        if request.model == BUNDLED:
            raise WrongModel(model=BUNDLED, makes="embeddings", wanted="chat", instead=EXTRACTIVE)
        if request.model != EXTRACTIVE and not self._settings.allow_degraded:
            raise NoUpstream(model=request.model)
        field = request.structured_field()
        if field is not None:
            raise LanguageModelNeeded(field=field)

    async def embed(self, request: EmbeddingRequest) -> Embedded:
        """Return vectors.

        An upstream that fails is never replaced here: vectors of two models in one index would not compare.
        """
        with self._ledger.metered("embeddings", request.model) as meter:
            embedder, degraded = await self._embedder(request.model)
            meter.provider, meter.model = embedder.name, embedder.model
            meter.free, meter.degraded = embedder.name == BUNDLED, degraded is not None
            ttl = self._settings.embedding_cache_seconds
            vectors = await embed(self._cache, ttl, embedder, request.texts(), request.dimensions)
            meter.prompt_tokens, meter.completion_tokens = vectors.tokens, 0
            return Embedded(vectors, degraded)

    async def _embedder(self, model: str) -> tuple[Embedder, list[str] | None]:
        if model == EXTRACTIVE:
            raise WrongModel(model=EXTRACTIVE, makes="chat answers", wanted="embeddings", instead=BUNDLED)
        if self._upstream is not None and model not in (BUNDLED, DEFAULT):
            return UpstreamEmbedder(self._upstream, model), None
        if self._upstream is not None and model == DEFAULT and self._settings.embeds_upstream:
            return UpstreamEmbedder(self._upstream, self._settings.openai_embedding_model), None
        bundled = Bundled(await loaded(self._encoder), self._in_thread)
        if model in (BUNDLED, DEFAULT, bundled.model):
            return bundled, None
        if not self._settings.allow_degraded:
            raise NoUpstream(model=model)
        return bundled, EMBEDDINGS

    def models(self) -> ModelList:
        """Return the models that requests may name."""
        upstream = [self._settings.openai_model, self._settings.openai_embedding_model] if self._upstream else []
        owned = [*((name, "upstream") for name in upstream), (EXTRACTIVE, "castor"), (BUNDLED, "castor")]
        return ModelList(data=[Model(id=name, created=0, owned_by=owner) for name, owner in owned])
