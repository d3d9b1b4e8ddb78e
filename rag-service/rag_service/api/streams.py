"""An answer as server-sent events: what is being done, the answer, or the error."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Coroutine
from typing import Any

import orjson
from fastapi.responses import StreamingResponse

from castor_chassis import ServiceError

HEARTBEAT_SECONDS = 10.0


def event_stream(answer: Coroutine[Any, Any, dict[str, Any]]) -> StreamingResponse:
    """Return the stream of ``answer``: ``searching`` at once, then its lines as ``part`` and it whole as ``answer``.

    A quote leaves only after it was verified, so the parts come together. Comments are sent until then.
    A failure after the first byte is an event ``error`` with its code. When the client hangs up, the work is cancelled.
    """
    headers = {"Cache-Control": "no-store", "X-Accel-Buffering": "no"}
    return StreamingResponse(_events(answer), media_type="text/event-stream", headers=headers)


async def _events(answer: Coroutine[Any, Any, dict[str, Any]]) -> AsyncIterator[bytes]:
    working = asyncio.ensure_future(answer)
    try:
        yield _event("searching", {})
        while not (await asyncio.wait({working}, timeout=HEARTBEAT_SECONDS))[0]:
            yield b": still working\n\n"
        whole = working.result()
        for line in whole["data"]["answer"].splitlines():
            yield _event("part", {"text": line})
        yield _event("answer", whole)
    except ServiceError as error:
        yield _event("error", {"ok": False, "code": error.code, "error": str(error)})
    finally:
        working.cancel()


def _event(name: str, data: dict[str, Any]) -> bytes:
    return b"event: " + name.encode() + b"\ndata: " + orjson.dumps(data) + b"\n\n"
