"""An upstream client that redacts personal data from requests and puts it back into the answers."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any

from openai_service.errors import TextNeeded
from openai_service.metrics import REDACTED
from openai_service.protocol.chat import is_fetchable
from openai_service.protocol.messages import WRITTEN_FIELDS, Json
from openai_service.protocol.vectors import Floats
from openai_service.text.redaction import Redaction, StreamRestorer, placeholders_in
from openai_service.upstreams.chunk_stream import UpstreamChunkStream
from openai_service.upstreams.client import UpstreamClient, UpstreamOptions


class RedactingClient(UpstreamClient):
    """An ``UpstreamClient`` that sends redacted requests; an embedding is that of the redacted text.

    Every string of a request is redacted, names of members included. Only the name of the model and the addresses of
    images, which are checked where the request is made, stay as they are.
    """

    takes_tokens = False

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

    async def embed(
        self, texts: Sequence[str] | Sequence[list[int]], model: str, dimensions: int | None
    ) -> tuple[Floats, int | None]:
        """Return one row per redacted text, in order, and the tokens used; raises ``TextNeeded`` for tokens."""
        readable = [text for text in texts if isinstance(text, str)]
        if len(readable) < len(texts):
            raise TextNeeded(reason="cannot be redacted, and REDACT is on")
        redaction = Redaction(self._handles)
        return await super().embed([redaction.redact(text) for text in readable], model, dimensions)

    def _redacted(self, body: dict[str, Any]) -> tuple[Redaction, dict[str, Any]]:
        redaction = Redaction(self._handles, placeholders_in(list(_texts(body))))
        safe = {**_map_texts(body, redaction.redact), "model": body["model"]}
        for name in redaction.values:
            REDACTED.labels(name.strip("[]").partition("_")[0].lower()).inc()
        return redaction, safe


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


class _ChunkRestorer:
    """Restores the text of chunks; what may be the beginning of a placeholder is held back until its end arrives."""

    def __init__(self, redaction: Redaction) -> None:
        self._restorers = {name: StreamRestorer(redaction) for name in WRITTEN_FIELDS}

    def restore(self, chunk: Json) -> Json:
        choices = chunk.value.get("choices") or []
        if not choices:
            return chunk
        # There is one choice: ``n`` is always 1.
        delta = dict(choices[0].get("delta") or {})
        for name, restorer in self._restorers.items():
            text = restorer.feed(delta.get(name) or "")
            if choices[0].get("finish_reason"):
                text += restorer.rest()
            if text or delta.get(name):
                delta[name] = text
        return Json.of({**chunk.value, "choices": [{**choices[0], "delta": delta}]})
