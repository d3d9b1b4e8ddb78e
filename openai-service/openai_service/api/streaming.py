"""Answers on the wire: server-sent events with heartbeats, and calls that end when their client hangs up."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Coroutine
from typing import Any, TypeVar

import anyio
from fastapi import Request
from fastapi.responses import Response, StreamingResponse
from starlette.types import Send

from castor_chassis import ServiceError
from openai_service.api.headers import answer_headers
from openai_service.chat.response_stream import Answer
from openai_service.errors import ClientGone
from openai_service.protocol.sdk_errors import render_error
from openai_service.protocol.sse import HEARTBEAT, render_event

T = TypeVar("T")
_CLOSING_SECONDS = 2


class EventStreamResponse(StreamingResponse):
    """Server-sent events of OpenAI's form: a JSON chunk each, then ``[DONE]``; a comment when nothing else was sent.

    After the first byte a failure can no longer change the status: it becomes an event with our error body, and
    ``[DONE]`` is missing. The answer is closed in any case.
    """

    media_type = "text/event-stream"

    def __init__(self, opening: asyncio.Future[Answer], headers: dict[str, str], *, heartbeat_seconds: float) -> None:
        self._opening = opening
        self._heartbeat = heartbeat_seconds
        self._sent_at = 0.0
        super().__init__((), headers={"Cache-Control": "no-store", "X-Accel-Buffering": "no", **headers})

    async def stream_response(self, send: Send) -> None:
        """Send the whole response and close the answer, also when the client hangs up."""
        try:
            await send({"type": "http.response.start", "status": self.status_code, "headers": self.raw_headers})
            await self._send_events(send)
            await send({"type": "http.response.body", "body": b"", "more_body": False})
        finally:
            # When the client hangs up, Starlette cancels this task, and without the shield the closing as well.
            with anyio.move_on_after(_CLOSING_SECONDS, shield=True):
                await close(self._opening)

    async def _send_events(self, send: Send) -> None:
        self._sent_at = _now()
        heartbeats = asyncio.ensure_future(self._send_heartbeats(send))
        try:
            answer = await asyncio.shield(self._opening)
            async for piece in answer.pieces():
                await self._send(send, piece)
        except ServiceError as error:
            await self._send(send, render_event(render_error(error)))
        finally:
            heartbeats.cancel()
        # Only after their end may the response be completed.
        await asyncio.gather(heartbeats, return_exceptions=True)

    async def _send_heartbeats(self, send: Send) -> None:
        """Send a comment whenever nothing was sent for the heartbeat's time, so that no proxy ends the connection.

        One task per stream instead of one per chunk. A message holds whole events, so the two senders can alternate.
        """
        while True:
            await asyncio.sleep(self._sent_at + self._heartbeat - _now())
            if _now() - self._sent_at >= self._heartbeat:
                await self._send(send, HEARTBEAT)

    async def _send(self, send: Send, body: bytes) -> None:
        await send({"type": "http.response.body", "body": body, "more_body": True})
        self._sent_at = _now()


def _now() -> float:
    return asyncio.get_running_loop().time()


async def close(opening: asyncio.Future[Answer]) -> None:
    """Close an answer that may not be open yet."""
    if not opening.done():
        opening.cancel()
        await asyncio.wait({opening})
    if not opening.cancelled() and opening.exception() is None:
        await opening.result().close()


async def respond(
    request: Request, answer: Coroutine[Any, Any, Answer], *, stream: bool, heartbeat_seconds: float
) -> Response:
    """Return the response with the answer that ``answer`` opens.

    A stream whose answer does not open within the heartbeat's time begins without it, and so without the headers that
    say how it was made. Raises what opening raises, and ``ClientGone`` when the client hangs up before.
    """
    opening = asyncio.ensure_future(answer)
    try:
        await _until_done(request, opening, heartbeat_seconds if stream else None)
        opened = opening.result() if opening.done() else None
    except BaseException:
        await close(opening)
        raise
    headers = answer_headers(opened.degraded, opened.cache, opened.adapted) if opened else {}
    if opened is None or stream:
        return EventStreamResponse(opening, headers, heartbeat_seconds=heartbeat_seconds)
    try:
        content = b"".join([piece async for piece in opened.pieces()])
    finally:
        await opened.close()
    return Response(content, media_type="application/json", headers=headers)


async def while_connected(request: Request, work: Awaitable[T]) -> T:
    """Await ``work``; when the client hangs up, cancel it and raise ``ClientGone``, so that nobody pays for it."""
    working = asyncio.ensure_future(work)
    try:
        await _until_done(request, working, None)
        return working.result()
    finally:
        await _end(working)


async def _until_done(request: Request, work: asyncio.Future[Any], timeout_seconds: float | None) -> None:
    """Wait until ``work`` is done or the time is up; raises ``ClientGone`` when the client hangs up before."""
    hang_up = asyncio.ensure_future(_hang_up(request))
    try:
        await asyncio.wait({work, hang_up}, timeout=timeout_seconds, return_when=asyncio.FIRST_COMPLETED)
        if hang_up.done() and not work.done():
            raise ClientGone
    finally:
        await _end(hang_up)


async def _hang_up(request: Request) -> None:
    while (await request.receive())["type"] != "http.disconnect":
        pass


async def _end(task: asyncio.Future[Any]) -> None:
    if not task.done():
        task.cancel()
        await asyncio.wait({task})
