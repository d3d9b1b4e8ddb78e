"""Texts to vectors, by openai-service; what it answers is checked before it is used."""

from __future__ import annotations

import binascii
import math
import struct
import time
from dataclasses import dataclass, field
from typing import Literal

import structlog

from castor_chassis import PeerError, PeerRejected
from rag_service.clients.openai import OpenAIClient
from rag_service.embeddings.model import Embeddings, Space
from rag_service.errors import EmbeddingUnusable, VectorNotFinite
from rag_service.text.normal import searchable

_OTHER_NAMES = ("bundled", "bundled-fast")
"""What openai-service calls its own encoders, which answer by other names."""
_GONE_SECONDS = 60.0
log = structlog.get_logger("castor.rag.encoder")


@dataclass(frozen=True, slots=True)
class Encoder:
    """Embeds with openai-service; every vector must have ``dimensions`` values."""

    openai: OpenAIClient
    dimensions: int
    _asked: dict[str, str] = field(default_factory=dict)
    _gone: dict[str, float] = field(default_factory=dict)

    async def embed(self, texts: list[str]) -> Embeddings:
        """Return one vector per text to be stored; raises ``PeerError`` or ``EmbeddingUnusable``."""
        return await self._embed(texts, "passage")

    async def embed_query(self, text: str) -> Embeddings | None:
        """Return the vector of a query, or None when there is none: the search then goes by words alone."""
        try:
            return await self._embed([searchable(text)], "query")
        except (PeerError, EmbeddingUnusable) as error:
            log.warning("query_not_embedded", code=error.code, reason=str(error))
            return None

    async def embed_now(self, texts: list[str]) -> Embeddings | None:
        """Return one vector per text of a document as fast as that of a query must come; None when there are none."""
        try:
            return await self._embed(texts, "passage", hurried=True)
        except (PeerError, EmbeddingUnusable) as error:
            log.warning("sentences_not_embedded", code=error.code, reason=str(error))
            return None

    async def embed_query_in(self, space: Space, text: str) -> Embeddings | None:
        """Return the vector of a query in ``space``, which is not the one of today; None when its model is gone."""
        if time.monotonic() < self._gone.get(space.model, 0):
            return None
        known = self._asked.get(space.model)
        for name in [known] if known else [space.name, *_OTHER_NAMES]:
            try:
                found = await self._embed([searchable(text)], "query", (name, space.dimensions))
            except (PeerRejected, EmbeddingUnusable):
                continue
            except PeerError:
                return None
            if found.model == space.model:
                self._asked[space.model] = name
                return found
        self._asked.pop(space.model, None)
        self._gone[space.model] = time.monotonic() + _GONE_SECONDS
        log.warning("model_before_gone", model=space.model)
        return None

    async def _embed(
        self,
        texts: list[str],
        role: Literal["query", "passage"],
        asked: tuple[str, int] | None = None,
        *,
        hurried: bool = False,
    ) -> Embeddings:
        answer = await self.openai.embeddings(texts, role, asked, hurried=hurried or role == "query")
        dimensions = asked[1] if asked else self.dimensions
        try:
            vectors = [_unit(vector) for vector in answer.vectors()]
        except (binascii.Error, struct.error) as error:
            raise EmbeddingUnusable(reason=f"they cannot be read: {error}") from error
        if len(vectors) != len(texts):
            raise EmbeddingUnusable(reason=f"{len(vectors)} vectors for {len(texts)} texts")
        others = {len(vector) for vector in vectors} - {dimensions}
        if others:
            remedy = f"set EMBEDDING_DIMENSIONS, which is {self.dimensions}, to match"
            raise EmbeddingUnusable(reason=f"vectors of {sorted(others)} dimensions; {remedy}")
        return Embeddings(answer.space, dimensions, vectors)


def _unit(vector: list[float]) -> list[float]:
    # Half precision ends at 65504: a vector that is not of unit length could overflow it.
    length = math.hypot(*vector)
    if not math.isfinite(length):
        raise VectorNotFinite(reason="a vector holds a value that is no finite number")
    return [value / length for value in vector] if length else vector
