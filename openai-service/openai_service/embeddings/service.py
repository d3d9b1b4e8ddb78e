"""The embedding service: which model embeds a request's texts, accounted for in the ledger."""

from __future__ import annotations

from dataclasses import dataclass

from castor_chassis import Cache
from openai_service.billing.ledger import Ledger
from openai_service.billing.meter import Meter
from openai_service.billing.payer import current_payer
from openai_service.billing.prices import Tokens
from openai_service.embeddings.embedder import Embedder
from openai_service.embeddings.registry import BUNDLED_NAMES, EncoderRegistry
from openai_service.embeddings.upstream_embedder import UpstreamEmbedder, embed_tokens
from openai_service.embeddings.vector_cache import embed_cached
from openai_service.errors import NoUpstream, TextNeeded, WrongModel
from openai_service.protocol.embeddings import EmbeddingRequest
from openai_service.protocol.models import BUNDLED, DEFAULT, EXTRACTIVE
from openai_service.protocol.vectors import Vectors
from openai_service.settings import OpenAISettings
from openai_service.upstreams.router import UpstreamRouter

DEGRADED = ["embeddings"]


@dataclass(frozen=True)
class EmbeddingResult:
    """Vectors, and ``["embeddings"]`` if another model than the requested one made them."""

    vectors: Vectors
    degraded: list[str] | None


class EmbeddingService:
    """Embeds texts with an upstream or a bundled encoder."""

    def __init__(
        self, settings: OpenAISettings, router: UpstreamRouter, encoders: EncoderRegistry, ledger: Ledger, cache: Cache
    ) -> None:
        self._settings = settings
        self._router = router
        self._encoders = encoders
        self._ledger = ledger
        self._cache = cache

    async def embed(self, request: EmbeddingRequest) -> EmbeddingResult:
        """Return the vectors of the request's texts.

        Raises what ``UpstreamRouter`` raises, ``EncoderBusy``, ``EncoderNotLoaded``, ``WrongDimensions``,
        ``WrongModel``, ``WrongVectors``, ``TextNeeded`` and ``NoUpstream``. A failing upstream is never
        replaced by a bundled encoder: vectors of two models in one index would not compare.
        """
        with self._ledger.metered("embeddings", request.model, current_payer()) as meter:
            embedder, degraded = await self._embedder(request, meter)
            meter.answered_by(embedder.name, embedder.model)
            meter.free, meter.degraded = embedder.name in BUNDLED_NAMES, degraded is not None
            vectors = await self._vectors(embedder, request)
            if not meter.attempts:
                meter.local_tokens = Tokens(vectors.tokens, 0)
                meter.cache = None if vectors.tokens else "hit"
            return EmbeddingResult(vectors, degraded)

    async def _vectors(self, embedder: Embedder, request: EmbeddingRequest) -> Vectors:
        tokens = request.token_texts()
        if not tokens:
            ttl = self._settings.embedding_cache_seconds
            return await embed_cached(self._cache, ttl, embedder, request.texts(), request.dimensions)
        if not isinstance(embedder, UpstreamEmbedder):
            raise TextNeeded(reason=f"mean nothing to '{embedder.model}', which has another tokeniser")
        if not embedder.takes_tokens:
            raise TextNeeded(reason="cannot be redacted, and REDACT is on")
        return await embed_tokens(embedder, tokens, request.dimensions)

    async def _embedder(self, request: EmbeddingRequest, meter: Meter) -> tuple[Embedder, list[str] | None]:
        model, role = request.model, request.input_type or "query"
        if model == EXTRACTIVE:
            raise WrongModel(model=EXTRACTIVE, makes="chat answers", wanted="embeddings", instead=BUNDLED)
        if model in BUNDLED_NAMES:
            return await self._encoders.embedder(model, role), None
        if self._router and (model != DEFAULT or self._settings.embeds_upstream):
            named = self._settings.openai_embedding_model if model == DEFAULT else model
            return UpstreamEmbedder(self._router, self._router.targets(named, default=named), meter), None
        if model != DEFAULT and not self._settings.allow_degraded:
            raise NoUpstream(model=model)
        bundled = await self._encoders.embedder(self._settings.own_encoder, role)
        return bundled, None if model == DEFAULT else DEGRADED
