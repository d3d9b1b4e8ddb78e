"""Answers as the bytes that are sent to the client, whatever their origin.

The way of one streamed chunk, and why each step exists:

1. ``upstreams.chunk_stream``: bytes become JSON chunks; time limit per read, check for a cut, redaction undone.
2. ``StreamedAnswer``: tokens are counted for the ledger, and the chunk becomes a server-sent event.
3. ``single_flight.InFlightRequest``: events are recorded, so that equal requests share one call and the response cache
   can keep the answer. Left out where nothing is shared: ``Cache-Control: no-cache``, or no cache.
4. ``single_flight.Subscriber``: one client's position in that record.
5. ``api.streaming.EventStreamResponse``: events become ASGI messages; heartbeats, the error event, the hang-up.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Protocol

from castor_chassis import ServiceError
from openai_service.billing.ledger import Ledger
from openai_service.billing.meter import Meter
from openai_service.chat.completions import ChatCall, ChatCompletions
from openai_service.protocol.messages import WRITTEN_FIELDS, Json
from openai_service.protocol.sse import DONE, render_event
from openai_service.upstreams.router import OpenedStream

LLM = ["llm"]
_ALSO_PAID = ("refusal", "tool_calls", "function_call", "reasoning_details")


class Answer(Protocol):
    """One answer. Call ``open``, then iterate ``pieces`` once, and call ``close`` in any case."""

    @property
    def degraded(self) -> list[str] | None:
        """What the answer is made without; known once it is open."""

    @property
    def cache(self) -> str | None:
        """``hit`` or ``shared`` where no model was asked for the answer; known once it is open."""

    @property
    def adapted(self) -> tuple[str, ...]:
        """What of the request the upstream did not get, or under another name; known once it is open."""

    async def open(self) -> None:
        """Return when the answer has begun; what it raises can still be answered with a status."""

    def pieces(self) -> AsyncIterator[bytes]:
        """Yield the bytes; a piece of a stream is one event or several, and never a part of one."""

    async def close(self) -> None:
        """Stop whoever produces the answer, unless it is complete; safe to call twice."""


class CompleteAnswer:
    """An ``Answer`` in one piece, produced when it is opened."""

    degraded: list[str] | None = None
    cache: str | None = None
    adapted: tuple[str, ...] = ()

    def __init__(self, completions: ChatCompletions, call: ChatCall) -> None:
        self._completions = completions
        self._call = call
        self._content = b""

    async def open(self) -> None:
        """Produce the answer."""
        answer, meter = await self._completions.complete(self._call)
        self.degraded, self.adapted = LLM if meter.degraded else None, meter.adapted
        self._content = _marked(answer, self.degraded)

    async def pieces(self) -> AsyncIterator[bytes]:
        """Yield the answer's JSON."""
        yield self._content

    async def close(self) -> None:
        """Do nothing: once open, the answer is complete."""


class StreamedAnswer:
    """An ``Answer`` as server-sent events; its call is metered until the stream ends, however it ends."""

    degraded: list[str] | None = None
    cache: str | None = None
    adapted: tuple[str, ...] = ()

    def __init__(self, completions: ChatCompletions, ledger: Ledger, call: ChatCall) -> None:
        self._completions = completions
        self._ledger = ledger
        self._call = call
        options = call.request.stream_options
        self._show_usage = options is not None and options.include_usage
        self._stream: OpenedStream | None = None
        self._meter: Meter | None = None
        """The meter of the open stream; None before and after."""

    async def open(self) -> None:
        """Return when the first chunk has arrived."""
        self._stream, self._meter = await self._completions.stream(self._call)
        self.degraded, self.adapted = LLM if self._meter.degraded else None, self._meter.adapted

    async def pieces(self) -> AsyncIterator[bytes]:
        """Yield all events, ``[DONE]`` last; a failure of the stream is raised where it happens."""
        assert self._stream is not None
        assert self._meter is not None
        try:
            async for chunk in self._stream.chunks:
                _count(self._stream, self._meter, chunk)
                if chunk.value.get("choices") or self._show_usage:
                    yield render_event(_marked(chunk, self.degraded))
        except ServiceError as error:
            self._meter.status = error.code
            raise
        self._end()
        yield render_event(DONE)

    async def close(self) -> None:
        """Stop the model, if it is still writing, and end the meter."""
        if self._meter is not None and self._meter.status == "ok":
            self._meter.status = "cancelled"
        self._end()
        if self._stream is not None:
            await self._stream.chunks.aclose()

    def _end(self) -> None:
        if self._meter is not None:
            self._ledger.end(self._meter)
            self._meter = None


class CachedAnswer:
    """An ``Answer`` from the response cache."""

    degraded: list[str] | None = None
    cache: str | None = "hit"

    def __init__(self, content: bytes, adapted: tuple[str, ...]) -> None:
        self._content = content
        self.adapted = adapted

    async def open(self) -> None:
        """Do nothing: the answer is complete."""

    async def pieces(self) -> AsyncIterator[bytes]:
        """Yield the answer as it was recorded, all events of a stream in one piece."""
        yield self._content

    async def close(self) -> None:
        """Do nothing: the answer is complete."""


def _marked(answer: Json, degraded: list[str] | None) -> bytes:
    """Return the answer's JSON; a degraded one says what it was made without."""
    return Json.of({**answer.value, "degraded": degraded}).raw if degraded else answer.raw


def _count(stream: OpenedStream, meter: Meter, chunk: Json) -> None:
    usage = chunk.value.get("usage")
    if stream.attempt is None:
        meter.count_local(usage)
        return
    stream.attempt.count(usage)
    if stream.attempt.received_bytes is not None:
        stream.attempt.received_bytes += _text_bytes(chunk)


def _text_bytes(chunk: Json) -> int:
    deltas = [choice.get("delta") or {} for choice in chunk.value["choices"] or ()]
    texts = [str(delta.get(name) or "").encode() for delta in deltas for name in (*WRITTEN_FIELDS, *_ALSO_PAID)]
    return sum(map(len, texts))
