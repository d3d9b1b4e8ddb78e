"""Answers on the wire: streams that beat while the model thinks, and work that ends when nobody waits for it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Coroutine
from typing import Any, TypeVar

import anyio
from fastapi import Request
from fastapi.responses import Response, StreamingResponse
from starlette.types import Send

from castor_chassis import ServiceError
from openai_service.chat.response_stream import Production
from openai_service.errors import ClientGone
from openai_service.protocol.sdk_errors import error_content
from openai_service.protocol.sse import HEARTBEAT, event

T = TypeVar("T")
_CLOSING_SECONDS = 2


class EventStream(StreamingResponse):
    """Server-sent events in OpenAI's form: a JSON chunk each, then ``[DONE]``.

    A failure after the first byte can no longer change the status: it becomes an event with our error body,
    and ``[DONE]`` is missing. Whatever happens the production is closed.
    """

    media_type = "text/event-stream"

    def __init__(
        self, production: asyncio.Future[Production], headers: dict[str, str], *, heartbeat_seconds: float
    ) -> None:
        self._production = production
        self._heartbeat = heartbeat_seconds
        no_buffer = {"Cache-Control": "no-store", "X-Accel-Buffering": "no"}
        super().__init__(self._events(), headers={**no_buffer, **headers})

    async def stream_response(self, send: Send) -> None:
        """Send all events and close the production, also when the client hangs up."""
        try:
            await super().stream_response(send)
        finally:
            # Starlette cancels everything here when the client leaves, the closing too unless it is shielded.
            with anyio.move_on_after(_CLOSING_SECONDS, shield=True):
                await close(self._production)

    async def _events(self) -> AsyncIterator[bytes]:
        try:
            async for beat in self._beats(self._production):
                yield beat
            pieces = self._production.result().pieces()
            while True:
                coming = asyncio.ensure_future(_next(pieces))
                try:
                    async for beat in self._beats(coming):
                        yield beat
                finally:
                    if not coming.done():
                        coming.cancel()
                        await asyncio.wait({coming})
                piece = coming.result()
                if piece is None:
                    return
                yield piece
        except ServiceError as error:
            yield event(error_content(error))

    async def _beats(self, coming: asyncio.Future[Any]) -> AsyncIterator[bytes]:
        while not coming.done():
            await asyncio.wait({coming}, timeout=self._heartbeat)
            if not coming.done():
                yield HEARTBEAT


async def _next(pieces: AsyncIterator[bytes]) -> bytes | None:
    return await anext(pieces, None)


async def close(production: asyncio.Future[Production]) -> None:
    """Close a production that may still be opening."""
    if not production.done():
        production.cancel()
        await asyncio.wait({production})
    if not production.cancelled() and production.exception() is None:
        await production.result().close()


async def opened(request: Request, work: asyncio.Future[Production], *, wait_seconds: float | None) -> bool:
    """Wait for ``work`` and say whether it is done; raises what it raised.

    It is cancelled, and ``ClientGone`` raised, when the client hangs up: nobody pays for silence.
    """
    leaving = asyncio.ensure_future(_disconnect(request))
    try:
        waited: set[asyncio.Future[Any]] = {work, leaving}
        await asyncio.wait(waited, timeout=wait_seconds, return_when=asyncio.FIRST_COMPLETED)
        if leaving.done() and not work.done():
            raise ClientGone
    except BaseException:
        await close(work)
        raise
    finally:
        await _end(leaving)
    if work.done():
        work.result()
    return work.done()


async def answered(
    request: Request, work: Coroutine[Any, Any, Production], heartbeat_seconds: float, *, stream: bool
) -> Response:
    """Return the answer that ``work`` opens; a stream whose model is slow to begin starts without it, beating."""
    opening = asyncio.ensure_future(work)
    begun = await opened(request, opening, wait_seconds=heartbeat_seconds if stream else None)
    headers = headers_of(opening.result().degraded, opening.result().cache) if begun else {}
    if stream:
        return EventStream(opening, headers, heartbeat_seconds=heartbeat_seconds)
    try:
        content = b"".join([piece async for piece in opening.result().pieces()])
    finally:
        await close(opening)
    return Response(content, media_type="application/json", headers=headers)


def headers_of(degraded: list[str] | None, cache: str | None) -> dict[str, str]:
    """Return the headers that say how an answer was made."""
    given = {"X-Castor-Degraded": ", ".join(degraded or ()), "X-Castor-Cache": cache or ""}
    return {name: value for name, value in given.items() if value}


def is_fresh(cache_control: str | None) -> bool:
    """True when the caller wants a model to be asked (RFC 9111, 5.2.1)."""
    wishes = {wish.strip().lower() for wish in (cache_control or "").split(",")}
    return not wishes.isdisjoint({"no-cache", "no-store"})


async def while_connected(request: Request, work: Awaitable[T]) -> T:
    """Await ``work``, but cancel it and raise ``ClientGone`` when the client hangs up: nobody pays for silence."""
    working = asyncio.ensure_future(work)
    leaving = asyncio.ensure_future(_disconnect(request))
    try:
        await asyncio.wait({working, leaving}, return_when=asyncio.FIRST_COMPLETED)
        if not working.done():
            raise ClientGone
        return working.result()
    finally:
        await _end(leaving)
        await _end(working)


async def _disconnect(request: Request) -> None:
    while (await request.receive())["type"] != "http.disconnect":
        pass


async def _end(task: asyncio.Future[T]) -> None:
    if not task.done():
        task.cancel()
        await asyncio.wait({task})
