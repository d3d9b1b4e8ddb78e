"""Where every call comes in: who answers it, whether it was answered before, and with which embeddings."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass

from castor_chassis import Cache, ServiceError
from openai_service.billing.ledger import Ledger
from openai_service.billing.meter import Meter
from openai_service.billing.payer import current_payer
from openai_service.billing.prices import Tokens
from openai_service.chat.completions import Asked, Chat, Streamed, Whole
from openai_service.chat.response_cache import AnswerStore, Shared, key_of
from openai_service.chat.response_stream import Production
from openai_service.chat.semantic_cache import SemanticIndex
from openai_service.chat.single_flight import Flight, Flights, Seat
from openai_service.embeddings.registry import NAMES, Encoders
from openai_service.embeddings.vector_cache import Embedder, Vectors, embed
from openai_service.errors import NoUpstream, WrongModel
from openai_service.metrics import REUSED
from openai_service.protocol.chat import (
    BUNDLED,
    BUNDLED_FAST,
    DEFAULT,
    EXTRACTIVE,
    ChatCompletion,
    ChatRequest,
    EmbeddingRequest,
    Model,
    ModelList,
)
from openai_service.settings import OpenAISettings
from openai_service.upstreams.failover import Target
from openai_service.upstreams.router import PaidEmbedder, Upstreams

EMBEDDINGS = ["embeddings"]


@dataclass(frozen=True)
class Embedded:
    """Vectors, and whether another model than the one asked for made them."""

    vectors: Vectors
    degraded: list[str] | None


class Gateway:
    """Routes each call to the upstreams or to what needs none."""

    def __init__(
        self,
        settings: OpenAISettings,
        upstreams: Upstreams,
        chat: Chat,
        encoders: Encoders,
        cache: Cache,
        answers: AnswerStore,
        semantic: SemanticIndex,
    ) -> None:
        self._settings = settings
        self._upstreams = upstreams
        self._chat = chat
        self._encoders = encoders
        self._cache = cache
        self._answers = answers
        self._semantic = semantic
        self._flights = Flights()
        self._ledger: Ledger = chat.ledger

    async def complete(
        self, request: ChatRequest, *, task: str | None = None, prompt_version: str | None = None, fresh: bool = False
    ) -> ChatCompletion:
        """Return the whole answer; ``task`` and ``prompt_version`` say which of our prompts the request was made by."""
        answer = await self.answer(request, task=task, prompt_version=prompt_version, fresh=fresh)
        try:
            content = b"".join([piece async for piece in answer.pieces()])
        finally:
            await answer.close()
        return ChatCompletion.model_validate_json(content)

    async def answer(
        self, request: ChatRequest, *, task: str | None = None, prompt_version: str | None = None, fresh: bool = False
    ) -> Production:
        """Return the answer once it has begun: JSON, or events where the request streams; the caller closes it.

        An equal request of the same tenant gets the same bytes, unless ``fresh``.
        """
        asked = Asked(request, current_payer(), self._targets(request.model, task), task, prompt_version)
        if fresh or not asked.targets or not self._settings.chat_cache_seconds:
            return await _opened(self._production(asked))
        return await self._reused(asked)

    def _targets(self, model: str, task: str | None) -> list[Target]:
        if model in (EXTRACTIVE, BUNDLED):
            return []
        return self._upstreams.targets(model, task, default=self._settings.openai_model)

    def _production(self, asked: Asked) -> Production:
        return Streamed(self._chat, asked) if asked.request.stream else Whole(self._chat, asked)

    async def _reused(self, asked: Asked) -> Production:
        names = [f"{target.upstream.name}/{target.model}" for target in asked.targets]
        exact = key_of(asked.payer.tenant, asked.request, names)
        key = await self._semantic.key(asked.payer.tenant, asked.request, names, exact)
        seat = self._board(key, asked)
        try:
            await _opened(seat)
        except ServiceError:
            if seat.leads:
                raise
            seat = self._board(key, asked)
            await _opened(seat)
        if seat.cache == "shared" and seat.degraded:
            # What the first caller had no time or luck for, this one may have.
            await seat.close()
            return await _opened(self._production(asked))
        if seat.cache:
            self._note_reuse(asked, seat.cache)
        return seat

    def _board(self, key: str, asked: Asked) -> Seat:
        shared: list[Shared] = []

        def start() -> Production:
            shared.append(Shared(self._production(asked), self._answers, key))
            return shared[0]

        async def landed(flight: Flight) -> None:
            await shared[0].landed(b"".join(flight.recorded) if flight.complete else None)

        return self._flights.board(key, start, landed)

    def _note_reuse(self, asked: Asked, how: str) -> None:
        REUSED.labels(how).inc()
        with self._chat.metered(asked) as meter:
            meter.cache, meter.streamed = how, asked.request.stream
            meter.own_tokens = Tokens(0, 0)
            meter.answered_by("cache", asked.targets[0].model)

    async def embed(self, request: EmbeddingRequest) -> Embedded:
        """Return vectors.

        An upstream that fails is never replaced by the encoder here: vectors of two models in one index would not
        compare.
        """
        with self._ledger.metered("embeddings", request.model, current_payer()) as meter:
            embedder, degraded = await self._embedder(request, meter)
            meter.answered_by(embedder.name, embedder.model)
            meter.free, meter.degraded = embedder.name in NAMES, degraded is not None
            ttl = self._settings.embedding_cache_seconds
            vectors = await embed(self._cache, ttl, embedder, request.texts(), request.dimensions)
            if not meter.attempts:
                meter.own_tokens = Tokens(vectors.tokens, 0)
                meter.cache = None if vectors.tokens else "hit"
            return Embedded(vectors, degraded)

    async def _embedder(self, request: EmbeddingRequest, meter: Meter) -> tuple[Embedder, list[str] | None]:
        model, role = request.model, request.input_type or "query"
        if model == EXTRACTIVE:
            raise WrongModel(model=EXTRACTIVE, makes="chat answers", wanted="embeddings", instead=BUNDLED)
        if model in NAMES:
            return await self._encoders.embedder(model, role), None
        if self._upstreams and (model != DEFAULT or self._settings.embeds_upstream):
            named = self._settings.openai_embedding_model if model == DEFAULT else model
            return PaidEmbedder(self._upstreams, self._upstreams.targets(named, default=named), meter), None
        if model != DEFAULT and not self._settings.allow_degraded:
            raise NoUpstream(model=model)
        own = await self._encoders.embedder(self._settings.own_encoder, role)
        return own, None if model == DEFAULT else EMBEDDINGS

    def models(self) -> ModelList:
        """Return the models that requests may name."""
        upstream = [self._settings.openai_model, self._settings.openai_embedding_model] if self._upstreams else []
        routed = [name for name in self._settings.routes if name != DEFAULT]
        names = list(dict.fromkeys([*upstream, *routed]))
        owned = [*((name, "upstream") for name in names), (EXTRACTIVE, "castor")]
        owned += [(BUNDLED, "castor"), (BUNDLED_FAST, "castor")]
        return ModelList(data=[Model(id=name, created=0, owned_by=owner) for name, owner in owned])


async def _opened(production: Production) -> Production:
    try:
        await production.open()
    except BaseException:
        await asyncio.shield(production.close())
        raise
    return production
