"""The chunks of one streamed answer, from the upstream's bytes to JSON objects."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import AsyncIterator, Callable
from typing import Any

import orjson
from openai import AsyncStream

from castor_chassis import current_request
from openai_service.errors import UpstreamTimeout, UpstreamUnavailable
from openai_service.protocol.messages import Json
from openai_service.protocol.sse import DONE, EventParser
from openai_service.upstreams.failures import ATTEMPT_ERRORS


class UpstreamChunkStream:
    """A ``ChunkStream`` over an open reply: framing, JSON, time limit per read, and check for a cut in one place.

    A read may take ``limit_seconds``, or less where ``seconds(limit_seconds)`` says that the caller has less time.
    ``error_of`` turns one of ``ATTEMPT_ERRORS`` into the error that the caller gets. A stream that ends without a
    finish reason was cut and raises ``UpstreamUnavailable``.
    """

    def __init__(
        self,
        reply: AsyncStream[Any],
        *,
        limit_seconds: float,
        seconds: Callable[[float], float],
        error_of: Callable[[Exception], Exception],
    ) -> None:
        self._reply = reply
        self._limit_seconds = limit_seconds
        self._seconds = seconds
        self._error_of = error_of
        self._pieces = reply.response.aiter_bytes()
        self._parser = EventParser()
        self._events: deque[bytes] = deque()
        self.on_close: Callable[[], None] = lambda: None
        self.transform: Callable[[Json], Json] = lambda chunk: chunk
        """Applied to every chunk; the place for what would otherwise be one more stream around this one."""

    async def begin(self) -> None:
        """Wait for the first chunk, without a time limit of its own; raises one of ``ATTEMPT_ERRORS``."""
        await self._read()
        if self._events[0] == DONE:
            raise ValueError("an empty stream")
        _parsed(self._events[0])

    async def __aiter__(self) -> AsyncIterator[Json]:
        finished = False
        while (chunk := await self._next()) is not None:
            finished = finished or any(choice.get("finish_reason") for choice in chunk.value["choices"] or ())
            yield chunk
        if not finished:
            raise UpstreamUnavailable(reason="its stream was cut", retry_after_seconds=1).processed()

    async def _next(self) -> Json | None:
        try:
            if not self._events:
                await self._read_in_time()
            event = self._events.popleft()
            return None if event == DONE else self.transform(_parsed(event))
        except ATTEMPT_ERRORS as error:
            raise self._error_of(error) from error

    async def _read_in_time(self) -> None:
        began = _now()
        try:
            async with _MovableLimit(self._limit_seconds, self._seconds):
                await self._read()
        except TimeoutError as error:
            raise UpstreamTimeout(seconds=round(_now() - began, 3)).processed() from error

    async def _read(self) -> None:
        """Read until at least one event is there; the end of the bytes counts as ``[DONE]``."""
        while not self._events:
            piece = await anext(self._pieces, None)
            self._events.extend([DONE] if piece is None else self._parser.feed(piece))

    async def aclose(self) -> None:
        """Hang up, which stops the upstream."""
        try:
            await self._reply.close()
        finally:
            self.on_close()


class _MovableLimit:
    """Raises ``TimeoutError`` after ``seconds(limit_seconds)``, or later where the deadline was moved meanwhile.

    A request that several callers share gets the deadline of each that joins. However many join, the limit passes
    ``limit_seconds`` after it began, so that a stream which has stalled ends.
    """

    def __init__(self, limit_seconds: float, seconds: Callable[[float], float]) -> None:
        self._limit_seconds = limit_seconds
        self._seconds = seconds
        self._timeout = asyncio.timeout(None)

    async def __aenter__(self) -> None:
        await self._timeout.__aenter__()
        self._latest = _now() + self._limit_seconds
        self._wait(self._limit_seconds)

    def _wait(self, limit_seconds: float) -> None:
        self._timer = asyncio.get_running_loop().call_later(self._seconds(limit_seconds), self._end, _deadline())

    def _end(self, deadline: float | None) -> None:
        left = self._latest - _now()
        if left <= 0 or _deadline() == deadline:
            self._timeout.reschedule(_now())
        else:
            self._wait(left)

    async def __aexit__(self, *error: Any) -> None:
        self._timer.cancel()
        await self._timeout.__aexit__(*error)


def _deadline() -> float | None:
    info = current_request()
    return None if info is None else info.deadline


def _now() -> float:
    return asyncio.get_running_loop().time()


def _parsed(event: bytes) -> Json:
    value = orjson.loads(event)
    if not isinstance(value, dict) or not all(map(_is_choice, value["choices"] or ())):
        raise ValueError("an event that is no chunk")
    return Json(value, event)


def _is_choice(choice: Any) -> bool:
    return isinstance(choice, dict) and isinstance(choice.get("delta"), dict | None)
