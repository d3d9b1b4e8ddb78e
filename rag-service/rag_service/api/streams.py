"""An answer as server-sent events: what is being done, the answer, or the error."""

from __future__ import annotations

import asyncio
import math
from collections.abc import AsyncIterator, Coroutine
from typing import Any

import orjson
import structlog
from fastapi.responses import StreamingResponse

from castor_chassis import ServiceError
from castor_chassis.context import remaining_seconds
from castor_chassis.wire.errors import DeadlineExceeded

HEARTBEAT_SECONDS = 10.0
_CLOSING_SECONDS = 1.0
"""So long before the deadline a stream ends, or a tenth of its time if that is less: after it nothing can be sent."""
log = structlog.get_logger("castor.rag.streams")


def event_stream(answer: Coroutine[Any, Any, dict[str, Any]]) -> StreamingResponse:
    """Return the stream of ``answer``: ``searching`` at once, then its lines as ``part`` and it whole as ``answer``.

    A quote leaves only after it was verified, so the parts come together. Comments are sent until then.
    A failure after the first byte is an event ``error`` with its code, and so is the deadline of the request. When the
    client hangs up, the work is cancelled.
    """
    headers = {"Cache-Control": "no-store", "X-Accel-Buffering": "no"}
    return StreamingResponse(_events(answer), media_type="text/event-stream", headers=headers)


async def _events(answer: Coroutine[Any, Any, dict[str, Any]]) -> AsyncIterator[bytes]:
    working = asyncio.ensure_future(answer)
    try:
        yield _event("searching", {})
        async for _ in _heartbeats(working):
            yield b": still working\n\n"
        whole = working.result()
        for line in whole["data"]["answer"].splitlines():
            yield _event("part", {"text": line})
        yield _event("answer", whole)
    except ServiceError as error:
        yield _failure(error)
    except Exception:
        log.exception("stream_failed")
        yield _failure(ServiceError())
    finally:
        working.cancel()


async def _heartbeats(working: asyncio.Future[Any]) -> AsyncIterator[None]:
    """Yield whenever a heartbeat is due, until the work is done; raises ``DeadlineExceeded`` before the deadline."""
    clock = asyncio.get_running_loop().time
    allowed = remaining_seconds()
    seconds = math.inf if allowed is None else max(0.0, allowed - min(_CLOSING_SECONDS, allowed / 10))
    end = clock() + seconds
    while not (await asyncio.wait({working}, timeout=min(HEARTBEAT_SECONDS, max(0.0, end - clock()))))[0]:
        if clock() >= end:
            raise DeadlineExceeded(seconds=round(seconds, 3))
        yield


def _failure(error: ServiceError) -> bytes:
    return _event("error", {"ok": False, "code": error.code, "error": str(error)})


def _event(name: str, data: dict[str, Any]) -> bytes:
    return b"event: " + name.encode() + b"\ndata: " + orjson.dumps(data) + b"\n\n"
