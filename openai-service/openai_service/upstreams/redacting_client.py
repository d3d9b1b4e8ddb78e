"""An upstream client that redacts personal data from requests and puts it back into the answers."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any

from openai_service.errors import TextNeeded
from openai_service.metrics import REDACTED
from openai_service.protocol.chat import is_fetchable
from openai_service.protocol.messages import Json
from openai_service.protocol.vectors import Floats
from openai_service.text.redaction import Redaction, placeholders_in
from openai_service.upstreams.chunk_restorer import ChunkRestorer
from openai_service.upstreams.chunk_stream import UpstreamChunkStream
from openai_service.upstreams.client import OutgoingChat, UpstreamClient, UpstreamOptions


class RedactedText(str):
    """A text that was redacted already."""

    __slots__ = ()


class RedactingClient(UpstreamClient):
    """An ``UpstreamClient`` that sends redacted requests; an embedding is that of the redacted text.

    Every string of a request is redacted, names of members included. Only the name of the model and the addresses of
    images, which are checked where the request is made, stay as they are.
    """

    takes_tokens = False

    def __init__(self, options: UpstreamOptions, *, handles: bool) -> None:
        super().__init__(options)
        self._handles = handles

    def outgoing_chat(self, body: dict[str, Any]) -> OutgoingChat:
        """Return ``body`` with placeholders for what must not leave."""
        redaction = Redaction(self._handles, placeholders_in(list(_texts(body))))
        safe = {**_map_texts(body, redaction.redact), "model": body["model"]}
        for name in redaction.values:
            REDACTED.labels(name.strip("[]").partition("_")[0].lower()).inc()
        return OutgoingChat(safe, redaction if redaction.values else None)

    def outgoing_text(self, text: str) -> str:
        """Return ``text`` with placeholders, whose numbers do not depend on what it is embedded with."""
        return RedactedText(Redaction(self._handles).redact(text))

    async def complete(self, chat: OutgoingChat) -> Json:
        """Return the complete answer, with the placeholders it repeats replaced by what they stand for."""
        answer = await super().complete(chat)
        return answer if chat.redaction is None else Json.of(_map_texts(answer.value, chat.redaction.restore))

    async def stream(self, chat: OutgoingChat) -> UpstreamChunkStream:
        """Return the stream once its first chunk has arrived; placeholders are replaced chunk by chunk."""
        stream = await super().stream(chat)
        if chat.redaction is not None:
            stream.transform = ChunkRestorer(chat.redaction).restore
        return stream

    async def embed(
        self, texts: Sequence[str | list[int]], model: str, dimensions: int | None
    ) -> tuple[Floats, int | None]:
        """Return one row per redacted text, in order, and the tokens used; raises ``TextNeeded`` for tokens."""
        readable = [text for text in texts if isinstance(text, str)]
        if len(readable) < len(texts):
            raise TextNeeded(reason="cannot be redacted, and REDACT is on")
        safe = [text if isinstance(text, RedactedText) else self.outgoing_text(text) for text in readable]
        return await super().embed(safe, model, dimensions)


def _texts(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, list):
        for child in value:
            yield from _texts(child)
    elif isinstance(value, dict):
        for key, child in value.items():
            yield key
            yield from _texts(child)


def _map_texts(value: Any, change: Callable[[str], str]) -> Any:
    if isinstance(value, str):
        return change(value)
    if isinstance(value, list):
        return [_map_texts(child, change) for child in value]
    if isinstance(value, dict):
        return {
            change(key): child if _is_image(key, child) else _map_texts(child, change) for key, child in value.items()
        }
    return value


def _is_image(key: str, value: Any) -> bool:
    return key == "image_url" and isinstance(value, dict) and is_fetchable(str(value.get("url")))
