"""An upstream client that redacts personal data from requests and puts it back into the answers."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any

from openai_service.metrics import REDACTED
from openai_service.protocol.messages import Json
from openai_service.protocol.vectors import Floats
from openai_service.text.redaction import Redaction, StreamRestorer, placeholders_in
from openai_service.upstreams.chunk_stream import UpstreamChunkStream
from openai_service.upstreams.client import UpstreamClient, UpstreamOptions

# The members of a request that hold users' text; all others have a closed vocabulary or are the caller's own schema.
_TEXT_MEMBERS = ("content", "text", "arguments", "name")


class RedactingClient(UpstreamClient):
    """An ``UpstreamClient`` that sends redacted requests; an embedding is that of the redacted text."""

    def __init__(self, options: UpstreamOptions, *, handles: bool) -> None:
        super().__init__(options)
        self._handles = handles

    async def complete(self, body: dict[str, Any]) -> Json:
        """Return the complete answer, with the placeholders it repeats replaced by what they stand for."""
        redaction, safe = self._redacted(body)
        answer = await super().complete(safe)
        if not redaction.values:
            return answer
        return Json.of(_map_texts(answer.value, redaction.restore))

    async def stream(self, body: dict[str, Any]) -> UpstreamChunkStream:
        """Return the stream once its first chunk has arrived; placeholders are replaced chunk by chunk."""
        redaction, safe = self._redacted(body)
        stream = await super().stream(safe)
        if redaction.values:
            stream.transform = _ChunkRestorer(redaction).restore
        return stream

    async def embed(self, texts: Sequence[str], model: str, dimensions: int | None) -> tuple[Floats, int | None]:
        """Return one row per redacted text, in order, and the tokens used."""
        redaction = Redaction(self._handles)
        return await super().embed([redaction.redact(text) for text in texts], model, dimensions)

    def _redacted(self, body: dict[str, Any]) -> tuple[Redaction, dict[str, Any]]:
        redaction = Redaction(self._handles, placeholders_in(list(_texts(body["messages"]))))
        safe = {**body, "messages": _map_texts(body["messages"], redaction.redact)}
        # An id of the end user serves the upstream's statistics only, and may be an address.
        if isinstance(body.get("user"), str):
            safe["user"] = redaction.redact(body["user"])
        for name in redaction.values:
            REDACTED.labels(name.strip("[]").partition("_")[0].lower()).inc()
        return redaction, safe


def _texts(value: Any, is_text: bool = False) -> Iterator[str]:
    if isinstance(value, str) and is_text:
        yield value
    if isinstance(value, list):
        for child in value:
            yield from _texts(child, is_text)
    if isinstance(value, dict):
        for key, child in value.items():
            yield from _texts(child, key in _TEXT_MEMBERS)


def _map_texts(value: Any, change: Callable[[str], str], is_text: bool = False) -> Any:
    if isinstance(value, str):
        return change(value) if is_text else value
    if isinstance(value, list):
        return [_map_texts(child, change, is_text) for child in value]
    if isinstance(value, dict):
        return {key: _map_texts(child, change, key in _TEXT_MEMBERS) for key, child in value.items()}
    return value


class _ChunkRestorer:
    """Restores the text of chunks; what may be the beginning of a placeholder is held back until its end arrives."""

    def __init__(self, redaction: Redaction) -> None:
        self._restorer = StreamRestorer(redaction)

    def restore(self, chunk: Json) -> Json:
        choices = chunk.value.get("choices") or []
        if not choices:
            return chunk
        # There is one choice: ``n`` is always 1.
        delta = dict(choices[0].get("delta") or {})
        text = self._restorer.feed(delta.get("content") or "")
        if choices[0].get("finish_reason"):
            text += self._restorer.rest()
        if text or delta.get("content"):
            delta["content"] = text
        return Json.of({**chunk.value, "choices": [{**choices[0], "delta": delta}]})
