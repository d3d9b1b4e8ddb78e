"""The chunks of an upstream's stream: all that came is passed on, and what went wrong is named."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Callable
from typing import Any

import pytest

from castor_chassis.context import RequestInfo, set_request
from openai_service.errors import UpstreamTimeout, UpstreamUnavailable
from openai_service.protocol.messages import Json
from openai_service.upstreams.chunk_stream import UpstreamChunkStream
from openai_service.upstreams.failures import failure_of


class Reply:
    """An open reply that brings ``pieces``; a number instead of bytes is a pause in seconds."""

    def __init__(self, *pieces: bytes | float) -> None:
        self._pieces = pieces
        self.response = self
        self.closed = 0

    async def aiter_bytes(self) -> AsyncIterator[bytes]:
        """Bring the pieces."""
        for piece in self._pieces:
            if isinstance(piece, bytes):
                yield piece
            else:
                await asyncio.sleep(piece)

    async def close(self) -> None:
        """Count the closes."""
        self.closed += 1


def event(text: str, reason: str | None = None) -> bytes:
    """Return a chunk with ``text`` as an event."""
    choice = {"index": 0, "delta": {"content": text}, "finish_reason": reason}
    return b"data: " + json.dumps({"choices": [choice]}).encode() + b"\n\n"


def opened(
    reply: Any, seconds: Callable[[float], float] = lambda limit: limit, limit_seconds: float = 20
) -> UpstreamChunkStream:
    """Return the stream of ``reply``."""
    return UpstreamChunkStream(
        reply, limit_seconds=limit_seconds, seconds=seconds, error_of=lambda error: failure_of(error, None).error
    )


def text_of(chunk: Json) -> str:
    """Return the text of a chunk."""
    return str(chunk.value["choices"][0]["delta"]["content"])


async def read(stream: UpstreamChunkStream) -> tuple[list[str], Exception | None]:
    """Return the texts that came, and what ended the stream, if it was an error."""
    texts = []
    try:
        async for chunk in stream:
            texts.append(text_of(chunk))
    except UpstreamUnavailable as error:
        return texts, error
    except UpstreamTimeout as error:
        return texts, error
    return texts, None


async def test_events_of_one_read_come_one_by_one() -> None:
    """However many events one read brings, each is a chunk, until [DONE]."""
    stream = opened(Reply(event("a") + event("b") + event("c", "stop") + b"data: [DONE]\n\n" + event("after")))
    await stream.begin()
    assert await read(stream) == (["a", "b", "c"], None)


@pytest.mark.parametrize(
    "broken",
    [
        b'data: {"id": \n\n',
        b"data: []\n\n",
        b"data: {}\n\n",
        b'data: {"choices": [1]}\n\n',
        b'data: {"choices": [{"delta": 1}]}\n\n',
    ],
)
async def test_what_came_before_a_broken_event_is_delivered(broken: str) -> None:
    """An event that is no chunk ends the stream, also when it came in one read with good ones."""
    bad = f"data: {broken}\n\n".encode()
    texts, error = await read(opened(Reply(event("a") + event("b") + bad + event("c", "stop"))))
    assert texts == ["a", "b"]
    assert isinstance(error, UpstreamUnavailable)
    assert error.maybe_charged


async def test_what_cannot_be_restored_ends_the_stream_as_a_broken_event_does() -> None:
    """A failing ``transform`` is the upstream's fault: it is named, and what came before is delivered."""

    def fails(chunk: Json) -> Json:
        if text_of(chunk) == "b":
            raise TypeError
        return chunk

    stream = opened(Reply(event("a") + event("b")))
    stream.transform = fails
    texts, error = await read(stream)
    assert texts == ["a"]
    assert isinstance(error, UpstreamUnavailable)


async def test_an_end_without_a_finish_reason_is_a_cut() -> None:
    """A stream that stops early is never taken for a complete one."""
    texts, error = await read(opened(Reply(event("a"), event("b"))))
    assert texts == ["a", "b"]
    assert isinstance(error, UpstreamUnavailable)
    assert error.details["reason"] == "its stream was cut"


async def test_the_time_limit_is_per_chunk_and_comments_do_not_extend_it() -> None:
    """A stream may take long as a whole; one that sends only comments for too long has stalled."""
    limits: list[float] = []

    def limit(seconds: float) -> float:
        limits.append(seconds)
        return seconds

    steady = opened(Reply(event("a"), 0.02, event("b"), 0.02, event("c"), 0.02, event("d", "stop")), limit)
    assert await read(steady) == (["a", "b", "c", "d"], None)
    assert len(limits) == 5
    stalled = opened(Reply(event("a"), *[0.05, b": alive\n\n"] * 1000, event("b", "stop")), limit_seconds=1)
    texts, error = await read(stalled)
    assert texts == ["a"]
    assert isinstance(error, UpstreamTimeout)


@pytest.mark.parametrize("first", [b"data: [DONE]\n\n", b"", b"<h1>no stream</h1>"])
async def test_an_empty_stream_does_not_begin(first: bytes) -> None:
    """What brings no chunk fails while another answer is still possible."""
    with pytest.raises(ValueError, match="empty"):
        await opened(Reply(first)).begin()


async def test_closing_frees_the_place_once_the_reply_is_closed() -> None:
    """``on_close`` is called even when hanging up fails."""

    class Broken(Reply):
        async def close(self) -> None:
            raise OSError("gone")

    freed: list[int] = []
    stream = opened(Broken())
    stream.on_close = lambda: freed.append(1)
    with pytest.raises(OSError, match="gone"):
        await stream.aclose()
    assert freed == [1]


async def test_a_deadline_that_moves_moves_the_limit_of_a_read() -> None:
    """A caller who joins with more time gives it to the read that is under way."""
    info = RequestInfo(deadline=1.0)
    set_request(info)
    limits = [0.01, 60.0]

    def seconds(_limit: float) -> float:
        asyncio.get_running_loop().call_soon(setattr, info, "deadline", 2.0)
        return limits.pop(0)

    stream = opened(Reply(0.1, event("a", "stop") + b"data: [DONE]\n\n"), seconds)
    assert await read(stream) == (["a"], None)
    assert limits == []


async def test_a_stalled_stream_ends_however_many_callers_join() -> None:
    """Each of them moves the deadline, and none the limit of a read: the dead stream would take all their time."""
    info = RequestInfo(deadline=1.0)
    set_request(info)

    def seconds(limit: float) -> float:
        assert info.deadline is not None
        asyncio.get_running_loop().call_soon(setattr, info, "deadline", info.deadline + 1)
        return limit

    texts, error = await read(opened(Reply(event("a"), 3600), seconds, limit_seconds=0.05))
    assert texts == ["a"]
    assert isinstance(error, UpstreamTimeout)
