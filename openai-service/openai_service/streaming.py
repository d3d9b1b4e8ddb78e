"""Answers that are written while they are made, and clients that leave before the end."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable
from typing import TypeVar

import anyio
import orjson
from fastapi import Request
from fastapi.responses import StreamingResponse
from starlette.types import Send

from castor_chassis import ErrorBody, ServiceError, current_request
from openai_service.errors import ClientGone
from openai_service.providers import ChunkStream

T = TypeVar("T")
_CLOSING_SECONDS = 2


class EventStream(StreamingResponse):
    """Server-sent events in OpenAI's form: a JSON chunk each, then ``[DONE]``.

    A failure after the first chunk can no longer change the status: it becomes an event with our error body,
    and ``[DONE]`` is missing. The stream behind is closed in any case.
    """

    media_type = "text/event-stream"

    def __init__(self, chunks: ChunkStream, headers: dict[str, str]) -> None:
        super().__init__(_events(chunks), headers={"Cache-Control": "no-store", "X-Accel-Buffering": "no", **headers})
        self._chunks = chunks

    async def stream_response(self, send: Send) -> None:
        """Send all events and close the stream, also when the client hangs up."""
        try:
            await super().stream_response(send)
        finally:
            # Starlette cancels everything here when the client leaves, the closing too unless it is shielded.
            with anyio.move_on_after(_CLOSING_SECONDS, shield=True):
                await self._chunks.aclose()


async def _events(chunks: ChunkStream) -> AsyncIterator[bytes]:
    try:
        async for chunk in chunks:
            yield _event(chunk)
    except ServiceError as error:
        info = current_request()
        request_id = info.request_id if info else "none"
        body = ErrorBody(error=str(error), code=error.code, details=error.details, request_id=request_id)
        yield _event(body.model_dump(mode="json"))
    else:
        yield b"data: [DONE]\n\n"


def _event(value: object) -> bytes:
    return b"data: " + orjson.dumps(value) + b"\n\n"


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
