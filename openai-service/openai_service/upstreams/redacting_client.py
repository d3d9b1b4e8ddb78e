"""An upstream that never sees what ``redaction`` finds; its answers say it again where they repeat a placeholder."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from typing import Any

from openai_service.extractive.provider import ChunkStream, Json
from openai_service.extractive.ranker import Floats
from openai_service.metrics import REDACTED
from openai_service.text.redaction import Redaction, StreamRestorer, placeholders_in
from openai_service.upstreams.client import OpenAICompatible, UpstreamOptions

# What of a request is the users' text; all else is of a closed vocabulary or the caller's own schema.
_SPOKEN = ("content", "text", "arguments", "name")


class RedactedUpstream(OpenAICompatible):
    """``OpenAICompatible`` behind a redaction of each request; an embedding is that of the redacted text."""

    def __init__(self, options: UpstreamOptions, *, handles: bool) -> None:
        super().__init__(options)
        self._handles = handles

    async def complete(self, body: dict[str, Any]) -> Json:
        """See ``OpenAICompatible``."""
        redaction, safe = self._safe(body)
        answer = await super().complete(safe)
        if not redaction.values:
            return answer
        return Json.of(_mapped(answer.value, redaction.restore))

    async def stream(self, body: dict[str, Any]) -> ChunkStream:
        """See ``OpenAICompatible``."""
        redaction, safe = self._safe(body)
        chunks = await super().stream(safe)
        return _RestoredStream(chunks, redaction) if redaction.values else chunks

    async def embed(self, texts: Sequence[str], model: str, dimensions: int | None) -> tuple[Floats, int | None]:
        """See ``OpenAICompatible``."""
        redaction = Redaction(self._handles)
        return await super().embed([redaction.redact(text) for text in texts], model, dimensions)

    def _safe(self, body: dict[str, Any]) -> tuple[Redaction, dict[str, Any]]:
        redaction = Redaction(self._handles, placeholders_in(list(_spoken(body["messages"]))))
        safe = {**body, "messages": _mapped(body["messages"], redaction.redact)}
        # An id of the end user is for the upstream's statistics only, and may be an address.
        if isinstance(body.get("user"), str):
            safe["user"] = redaction.redact(body["user"])
        for name in redaction.values:
            REDACTED.labels(name.strip("[]").partition("_")[0].lower()).inc()
        return redaction, safe


def _spoken(value: Any, spoken: bool = False) -> Iterator[str]:
    if isinstance(value, str) and spoken:
        yield value
    if isinstance(value, list):
        for child in value:
            yield from _spoken(child, spoken)
    if isinstance(value, dict):
        for key, child in value.items():
            yield from _spoken(child, key in _SPOKEN)


def _mapped(value: Any, change: Callable[[str], str], spoken: bool = False) -> Any:
    if isinstance(value, str):
        return change(value) if spoken else value
    if isinstance(value, list):
        return [_mapped(child, change, spoken) for child in value]
    if isinstance(value, dict):
        return {key: _mapped(child, change, key in _SPOKEN) for key, child in value.items()}
    return value


class _RestoredStream:
    """Chunks whose text is restored; what may be the beginning of a placeholder waits for its end."""

    def __init__(self, chunks: ChunkStream, redaction: Redaction) -> None:
        self._chunks = chunks
        self._restorer = StreamRestorer(redaction)
        self._redaction = redaction

    async def __aiter__(self) -> AsyncIterator[Json]:
        async for chunk in self._chunks:
            yield self._restored(chunk)

    def _restored(self, chunk: Json) -> Json:
        choices = chunk.value.get("choices") or []
        if not choices:
            return chunk
        # One choice a call: ``n`` is 1.
        delta = dict(choices[0].get("delta") or {})
        said = self._restorer.feed(delta.get("content") or "")
        if choices[0].get("finish_reason"):
            said += self._restorer.rest()
        if said or delta.get("content"):
            delta["content"] = said
        return Json.of({**chunk.value, "choices": [{**choices[0], "delta": delta}]})

    async def aclose(self) -> None:
        """End the stream early."""
        await self._chunks.aclose()
