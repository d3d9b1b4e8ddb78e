"""Client of openai-service: embeddings and chat completions, in the OpenAI wire shape."""

from __future__ import annotations

import base64
import struct
from typing import Literal

import structlog
from pydantic import BaseModel, ValidationError

from castor_chassis import Peer, PeerError
from castor_chassis.client.operation import Operation
from rag_service.errors import EmbeddingUnusable
from rag_service.settings import RagSettings

EMBEDDINGS = "/v1/openai/embeddings"
CHAT = "/v1/openai/chat/completions"
log = structlog.get_logger("castor.rag.openai")


class Embedding(BaseModel):
    """The vector of one text; base64 holds little-endian 32-bit floats."""

    index: int
    embedding: str | list[float]

    def vector(self) -> list[float]:
        """Return the vector; raises ``binascii.Error`` or ``struct.error`` when it cannot be decoded."""
        if isinstance(self.embedding, list):
            return self.embedding
        data = base64.b64decode(self.embedding, validate=True)
        return list(struct.unpack(f"<{len(data) // 4}f", data))


class EmbeddingsReply(BaseModel):
    """Vectors, in any order."""

    model: str
    version: str | None = None
    data: list[Embedding]

    @property
    def space(self) -> str:
        """The name of the vector space: vectors compare when model and version are the same."""
        return self.model if self.version is None else f"{self.model}@{self.version}"

    def vectors(self) -> list[list[float]]:
        """Return the vectors in the order of the texts; errors as of ``Embedding.vector``."""
        return [item.vector() for item in sorted(self.data, key=lambda item: item.index)]


class Message(BaseModel):
    """What the model wrote."""

    content: str | None = None


class Choice(BaseModel):
    """One answer."""

    message: Message


class ChatReply(BaseModel):
    """The first choice is the answer; ``degraded`` names what it was made without."""

    choices: list[Choice]
    degraded: list[str] | None = None

    @property
    def text(self) -> str | None:
        """The answer, None when there is none."""
        return self.choices[0].message.content if self.choices else None


OPERATIONS = (
    Operation("POST", EMBEDDINGS, ("model", "input", "dimensions", "encoding_format", "input_type"), EmbeddingsReply),
    Operation("POST", CHAT, ("model", "messages", "temperature", "max_tokens"), ChatReply),
)


class OpenAIClient:
    """Asks for vectors, and for answers. The fallback of ``chat`` is None: the caller quotes documents instead."""

    def __init__(self, peer: Peer, settings: RagSettings) -> None:
        self._peer = peer
        self._settings = settings

    async def embeddings(
        self,
        texts: list[str],
        input_type: Literal["query", "passage"],
        asked: tuple[str, int] | None = None,
        *,
        hurried: bool,
    ) -> EmbeddingsReply:
        """Return the vectors of ``texts`` by the model of the settings, or by the model and dimensions ``asked`` for.

        Somebody waits for those that are ``hurried``: they have the time of a query, and are asked for once. Raises
        ``PeerError``, or ``EmbeddingUnusable`` for an unreadable answer.
        """
        settings = self._settings
        model, dimensions = asked or (settings.embedding_model, settings.embedding_dimensions)
        request = {
            "model": model,
            "input": texts,
            "dimensions": dimensions,
            "encoding_format": "base64",
            "input_type": input_type,
        }
        timeout = settings.query_embedding_timeout_seconds if hurried else settings.embedding_batch_timeout_seconds
        # It is not repeated: an answer by words alone now is better than one with vectors too late.
        reply = await self._peer.post(EMBEDDINGS, json=request, timeout_seconds=timeout, idempotent=not hurried)
        try:
            return EmbeddingsReply.model_validate(reply.data)
        except ValidationError as error:
            raise EmbeddingUnusable(reason=f"they cannot be read: {error}") from error

    async def chat(self, system: str, user: str) -> ChatReply | None:
        """Return the model's answer, or None when there is none."""
        settings = self._settings
        request = {
            "model": settings.chat_model,
            "messages": [{"role": "system", "content": system}, {"role": "user", "content": user}],
            "temperature": 0,
            "max_tokens": settings.answer_max_tokens,
        }
        try:
            reply = await self._peer.post(CHAT, json=request, timeout_seconds=settings.answer_timeout_seconds)
            answer = ChatReply.model_validate(reply.data)
        except (PeerError, ValidationError) as error:
            log.warning("answer_not_written", reason=str(error))
            return None
        return None if answer.text is None else answer
