"""One embedding model of the upstreams, as an ``Embedder``."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np

from openai_service.billing.meter import Meter
from openai_service.errors import TextNotEmbedded
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
        self._outgoing: dict[str, str] = {}
        self.takes_tokens = all(target.client.takes_tokens for target in targets)

    def check(self, dimensions: int | None) -> None:
        """Do nothing: only the upstream knows which dimensions its model has."""

    def batches(self, texts: Sequence[Input]) -> Iterator[list[Input]]:
        """Yield ``texts`` in order, in batches that every target accepts."""
        providers = [target.client.settings for target in self._targets]
        inputs = min(provider.embedding_inputs for provider in providers)
        tokens = min(provider.embedding_tokens for provider in providers)
        return batches(texts, inputs=inputs, tokens=tokens, outgoing=self._sent)

    async def embed(self, texts: Sequence[str | list[int]], dimensions: int | None) -> tuple[Floats, int]:
        """Return one row per text, in order, and the tokens used; raises what ``UpstreamRouter.embed`` raises."""
        sent = [self._sent(text) for text in texts]
        return await self._router.embed(sent, dimensions, self._meter, self._targets)

    def _sent(self, text: str | list[int]) -> str | list[int]:
        """Return what leaves for ``text``: clients of one route redact alike."""
        if isinstance(text, list):
            return text
        if text not in self._outgoing:
            self._outgoing[text] = self._targets[0].client.outgoing_text(text)
        return self._outgoing[text]


async def embed_tokens(embedder: UpstreamEmbedder, texts: list[list[int]], dimensions: int | None) -> Vectors:
    """Return the vectors of texts that are given as numbers of tokens, in their order; these are not cached."""
    made = [await embedder.embed(batch, dimensions) for batch in embedder.batches(texts)]
    all_rows = np.concatenate([rows for rows, _ in made])
    if (bad := np.flatnonzero(~np.isfinite(all_rows).all(axis=1))).size:
        raise TextNotEmbedded(model=embedder.model, count=bad.size, index=int(bad[0]))
    return Vectors(all_rows, embedder.model, None, sum(used for _, used in made))
