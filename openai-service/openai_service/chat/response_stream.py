"""An answer as the bytes that go out, whoever makes it: a model now, an equal call in flight, or the cache."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Protocol

from castor_chassis import ServiceError
from openai_service.billing.ledger import Ledger
from openai_service.billing.meter import Attempt, Meter
from openai_service.extractive.provider import ChunkStream, Json
from openai_service.protocol.sse import DONE, event

LLM = ["llm"]


class Production(Protocol):
    """One answer. Use: ``open``, then ``pieces`` once, and ``close`` in any case."""

    @property
    def degraded(self) -> list[str] | None:
        """What it is made without; known once it is open."""

    @property
    def cache(self) -> str | None:
        """``hit`` or ``shared`` where no model was asked for it; known once it is open."""

    async def open(self) -> None:
        """Return when the answer has begun; what fails until then can be answered by a status."""

    def pieces(self) -> AsyncIterator[bytes]:
        """Yield its bytes: a stream's events one by one, another answer whole."""

    async def close(self) -> None:
        """Stop whoever makes it, if it is not complete; safe to call twice."""


class Recorded:
    """An answer that was given before."""

    degraded: list[str] | None = None
    cache: str | None = "hit"

    def __init__(self, content: bytes) -> None:
        self._content = content

    async def open(self) -> None:
        """See ``Production``."""

    async def pieces(self) -> AsyncIterator[bytes]:
        """See ``Production``; what was an event stays one."""
        if not self._content.startswith(b"data: "):
            yield self._content
            return
        for one in self._content.split(b"\n\n")[:-1]:
            yield one + b"\n\n"

    async def close(self) -> None:
        """See ``Production``."""


def marked(answer: Json, degraded: list[str] | None) -> bytes:
    """Return the answer's JSON; it says what it was made without."""
    return Json.of({**answer.value, "degraded": degraded}).raw if degraded else answer.raw


@dataclass(frozen=True, slots=True)
class Begun:
    """A stream that has begun, and the attempt that pays for it; None where it costs nothing."""

    chunks: ChunkStream
    attempt: Attempt | None


class MeteredStream:
    """The events of a stream that is accounted for when it ends, however it ends."""

    def __init__(self, begun: Begun, meter: Meter, ledger: Ledger, *, show_usage: bool) -> None:
        self._chunks = begun.chunks
        self._attempt = begun.attempt
        self._meter = meter
        self._ledger = ledger
        self._show_usage = show_usage
        self._open = True
        self.degraded = LLM if meter.degraded else None

    async def events(self) -> AsyncIterator[bytes]:
        """Yield all events, ``[DONE]`` last; a failure is raised where it happens."""
        try:
            async for chunk in self._chunks:
                self._count(chunk)
                if chunk.value.get("choices") or self._show_usage:
                    yield event(marked(chunk, self.degraded))
        except ServiceError as error:
            self._meter.status = error.code
            raise
        self._end()
        yield event(DONE)

    def _count(self, chunk: Json) -> None:
        usage = chunk.value.get("usage")
        if self._attempt is None:
            self._meter.count_own(usage)
            return
        self._attempt.count(usage)
        self._attempt.received_bytes = (self._attempt.received_bytes or 0) + _written_bytes(chunk)

    async def close(self) -> None:
        """Stop the model, if it still writes, and close the account."""
        if self._open and self._meter.status == "ok":
            self._meter.status = "cancelled"
        self._end()
        await self._chunks.aclose()

    def _end(self) -> None:
        if self._open:
            self._open = False
            self._ledger.end(self._meter)


def _written_bytes(chunk: Json) -> int:
    deltas = [choice.get("delta") or {} for choice in chunk.value["choices"] or ()]
    texts = [str(delta.get("content") or "").encode() for delta in deltas]
    return sum(map(len, texts)) + sum(len(str(delta["tool_calls"])) for delta in deltas if delta.get("tool_calls"))
