"""Texts to vectors, by openai-service; what it answers is checked before it is used."""

from __future__ import annotations

import binascii
import math
import struct
from dataclasses import dataclass
from typing import Literal

import structlog

from castor_chassis import PeerError
from rag_service.clients.openai import OpenAIClient
from rag_service.embeddings.model import Embeddings
from rag_service.errors import EmbeddingUnusable
from rag_service.text.normal import searchable

log = structlog.get_logger("castor.rag.encoder")


@dataclass(frozen=True, slots=True)
class Encoder:
    """Embeds with openai-service; every vector must have ``dimensions`` values."""

    openai: OpenAIClient
    dimensions: int

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

    async def _embed(self, texts: list[str], role: Literal["query", "passage"]) -> Embeddings:
        answer = await self.openai.embeddings(texts, role)
        try:
            vectors = [_unit(vector) for vector in answer.vectors()]
        except (binascii.Error, struct.error) as error:
            raise EmbeddingUnusable(reason=f"they cannot be read: {error}") from error
        if len(vectors) != len(texts):
            raise EmbeddingUnusable(reason=f"{len(vectors)} vectors for {len(texts)} texts")
        others = {len(vector) for vector in vectors} - {self.dimensions}
        if others:
            remedy = f"set EMBEDDING_DIMENSIONS, which is {self.dimensions}, to match"
            raise EmbeddingUnusable(reason=f"vectors of {sorted(others)} dimensions; {remedy}")
        return Embeddings(answer.space, self.dimensions, vectors)


def _unit(vector: list[float]) -> list[float]:
    # Half precision ends at 65504: a vector that is not of unit length could overflow it.
    length = math.hypot(*vector)
    if not math.isfinite(length):
        raise EmbeddingUnusable(reason="a vector holds a value that is no finite number")
    return [value / length for value in vector] if length else vector
