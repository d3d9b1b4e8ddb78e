"""One embedding model of the upstreams, as an ``Embedder``."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from openai_service.billing.meter import Meter
from openai_service.protocol.vectors import Floats
from openai_service.upstreams.embedding_reply import batches
from openai_service.upstreams.failover import Target
from openai_service.upstreams.router import UpstreamRouter


class UpstreamEmbedder:
    """Asks the targets of a route; every batch is metered and paid for."""

    def __init__(self, router: UpstreamRouter, targets: Sequence[Target], meter: Meter) -> None:
        self._router = router
        self._targets = targets
        self._meter = meter
        self.name = targets[0].client.name
        self.model = self.space = targets[0].model
        self.version: str | None = None

    def check(self, dimensions: int | None) -> None:
        """Do nothing: only the upstream knows which dimensions its model has."""

    def batches(self, texts: Sequence[str]) -> Iterator[list[str]]:
        """Yield ``texts`` in order, in batches that every target accepts."""
        providers = [target.client.settings for target in self._targets]
        inputs = min(provider.embedding_inputs for provider in providers)
        return batches(texts, inputs=inputs, tokens=min(provider.embedding_tokens for provider in providers))

    async def embed(self, texts: Sequence[str], dimensions: int | None) -> tuple[Floats, int]:
        """Return one row per text, in order, and the tokens used; raises what ``UpstreamRouter.embed`` raises."""
        return await self._router.embed(texts, dimensions, self._meter, self._targets)
