"""Embeddings and answers from openai-service, in the OpenAI wire shape."""

from __future__ import annotations

import base64
import binascii
import math
import struct
from dataclasses import dataclass
from typing import Any, Literal

import structlog
from pydantic import BaseModel, ValidationError

from castor_chassis.client.operation import Operation
from castor_chassis.client.peer import Peer
from castor_chassis.wire.errors import PeerError
from rag_service.documents.repository import Embeddings
from rag_service.errors import EmbeddingUnusable
from rag_service.settings import RagSettings

EMBEDDINGS = "/v1/openai/embeddings"
CHAT = "/v1/openai/chat/completions"
log = structlog.get_logger("castor.rag.openai")


class _Embedding(BaseModel):
    index: int
    embedding: str | list[float]


class _EmbeddingsReply(BaseModel):
    model: str
    version: str | None = None
    data: list[_Embedding]

    @property
    def space(self) -> str:
        """What tells whose vectors compare: the model, and its version where it has one."""
        return self.model if self.version is None else f"{self.model}@{self.version}"


class _Message(BaseModel):
    content: str | None = None


class _Choice(BaseModel):
    message: _Message


class _ChatReply(BaseModel):
    choices: list[_Choice]
    degraded: list[str] | None = None


_EMBEDDINGS = ("model", "input", "dimensions", "encoding_format", "input_type")
OPERATIONS = (
    Operation("POST", EMBEDDINGS, sends=_EMBEDDINGS, reads=_EmbeddingsReply),
    Operation("POST", CHAT, sends=("model", "messages", "temperature", "max_tokens"), reads=_ChatReply),
)


@dataclass(frozen=True, slots=True)
class Written:
    """What the model wrote, and what openai-service did without to get it."""

    text: str
    degraded: list[str]


class OpenAIClient:
    """``embed`` raises; ``embed_query`` and ``write`` answer None instead, and the caller does without."""

    def __init__(self, peer: Peer, settings: RagSettings) -> None:
        self._peer = peer
        self._settings = settings

    async def embed(self, texts: list[str]) -> Embeddings:
        """Return one vector per text; raises ``PeerError`` or ``EmbeddingUnusable``."""
        return await self._embed(texts, "passage", self._settings.embedding_batch_timeout_seconds)

    async def embed_query(self, text: str) -> Embeddings | None:
        """Return the vector of a query, or None: then the search goes by words alone."""
        try:
            return await self._embed([text], "query", self._settings.query_embedding_timeout_seconds)
        except (PeerError, EmbeddingUnusable) as error:
            log.warning("query_not_embedded", code=error.code, reason=str(error))
            return None

    async def write(self, system: str, user: str) -> Written | None:
        """Return the model's answer, or None: then the caller quotes by itself."""
        messages = [{"role": "system", "content": system}, {"role": "user", "content": user}]
        request = {
            "model": self._settings.chat_model,
            "messages": messages,
            "temperature": 0,
            "max_tokens": self._settings.answer_max_tokens,
        }
        try:
            reply = await self._peer.post(CHAT, json=request, timeout_seconds=self._settings.answer_timeout_seconds)
            answer = _ChatReply.model_validate(reply.data)
        except (PeerError, ValidationError) as error:
            log.warning("answer_not_written", reason=str(error))
            return None
        text = answer.choices[0].message.content if answer.choices else None
        return None if text is None else Written(text, answer.degraded or [])

    async def _embed(self, texts: list[str], role: Literal["query", "passage"], seconds: float) -> Embeddings:
        wanted = self._settings.embedding_dimensions
        request: dict[str, Any] = {
            "model": self._settings.embedding_model,
            "input": texts,
            "dimensions": wanted,
            "encoding_format": "base64",
            "input_type": role,
        }
        # A query is not repeated: a search without vectors now is worth more than one with them too late.
        again = role == "passage"
        reply = await self._peer.post(EMBEDDINGS, json=request, timeout_seconds=seconds, idempotent=again)
        try:
            answer = _EmbeddingsReply.model_validate(reply.data)
            ordered = sorted(answer.data, key=lambda item: item.index)
            vectors = [_unit(_floats(item.embedding)) for item in ordered]
        except (ValidationError, binascii.Error, struct.error) as error:
            raise EmbeddingUnusable(reason=f"they cannot be read: {error}") from error
        if len(vectors) != len(texts):
            raise EmbeddingUnusable(reason=f"{len(vectors)} vectors for {len(texts)} texts")
        lengths = {len(vector) for vector in vectors} - {wanted}
        if lengths:
            reason = f"vectors of {sorted(lengths)} dimensions; set EMBEDDING_DIMENSIONS, which is {wanted}, to match"
            raise EmbeddingUnusable(reason=reason)
        return Embeddings(answer.space, wanted, vectors)


def _floats(value: str | list[float]) -> list[float]:
    if isinstance(value, list):
        return value
    data = base64.b64decode(value, validate=True)
    return list(struct.unpack(f"<{len(data) // 4}f", data))


def _unit(vector: list[float]) -> list[float]:
    # Half precision ends at 65504: a vector that is not of unit length could overflow it.
    length = math.hypot(*vector)
    if not math.isfinite(length):
        raise EmbeddingUnusable(reason="a vector holds a value that is no finite number")
    return [value / length for value in vector] if length else vector
