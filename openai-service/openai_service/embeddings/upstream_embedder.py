"""One embedding model of the upstreams, as an ``Embedder``."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np

from openai_service.billing.meter import Meter
from openai_service.protocol.vectors import Floats, Vectors
from openai_service.upstreams.embedding_reply import Input, batches
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
        self.takes_tokens = all(target.client.takes_tokens for target in targets)

    def check(self, dimensions: int | None) -> None:
        """Do nothing: only the upstream knows which dimensions its model has."""

    def batches(self, texts: Sequence[Input]) -> Iterator[list[Input]]:
        """Yield ``texts`` in order, in batches that every target accepts."""
        providers = [target.client.settings for target in self._targets]
        inputs = min(provider.embedding_inputs for provider in providers)
        return batches(texts, inputs=inputs, tokens=min(provider.embedding_tokens for provider in providers))

    async def embed(self, texts: Sequence[str] | Sequence[list[int]], dimensions: int | None) -> tuple[Floats, int]:
        """Return one row per text, in order, and the tokens used; raises what ``UpstreamRouter.embed`` raises."""
        return await self._router.embed(texts, dimensions, self._meter, self._targets)


async def embed_tokens(embedder: UpstreamEmbedder, texts: list[list[int]], dimensions: int | None) -> Vectors:
    """Return the vectors of texts that are given as numbers of tokens, in their order; these are not cached."""
    made = [await embedder.embed(batch, dimensions) for batch in embedder.batches(texts)]
    return Vectors(np.concatenate([rows for rows, _ in made]), embedder.model, None, sum(used for _, used in made))
