"""Streams on the wire: heartbeats while nothing comes, whole events, and one end."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from typing import Any

import pytest
from fake_openai import WORDS, FakeOpenAI, Fault
from openai_support import Run
from starlette.types import Message

from openai_service.api.streaming import EventStreamResponse
from openai_service.protocol.sse import HEARTBEAT, render_event

pytestmark = pytest.mark.asyncio(loop_scope="module")

PATH = "/v1/openai/chat/completions"
BODY = {"model": "m", "messages": [{"role": "user", "content": "hola"}], "stream": True}
COMMENT = HEARTBEAT.decode().strip()


def texts(body: str) -> list[str]:
    """Return the contents of all chunks of a stream."""
    events = [event.removeprefix("data: ") for event in body.split("\n\n") if event.startswith("data: {")]
    return [json.loads(event)["choices"][0]["delta"].get("content") for event in events]


async def test_a_slow_model_is_waited_for_with_heartbeats(
    run: Run, upstream: FakeOpenAI, with_upstream: dict[str, Any]
) -> None:
    """Until the first chunk the client gets comments, and then the whole answer."""
    upstream.script = [Fault("slow first token")]
    async with run(**with_upstream, stream_heartbeat_seconds=0.25) as service:
        answer = await service.client.post(PATH, json=BODY)
    assert answer.status_code == 200
    assert answer.text.startswith(COMMENT)
    assert 1 <= answer.text.count(COMMENT) <= 12
    assert texts(answer.text) == [*WORDS, None]
    assert answer.text.endswith("data: [DONE]\n\n")


async def test_a_stalled_stream_sends_heartbeats_and_then_its_error(
    run: Run, upstream: FakeOpenAI, with_upstream: dict[str, Any]
) -> None:
    """Between two chunks as well; the failure comes last, in our error body, and without [DONE]."""
    upstream.script = [Fault("stall")]
    async with run(**with_upstream, stream_heartbeat_seconds=0.25, openai_timeout_seconds=2) as service:
        answer = await service.client.post(PATH, json=BODY)
    *_, last = answer.text.strip().split("\n\n")
    assert answer.text.count(COMMENT) >= 2
    assert answer.text.index(WORDS[1].strip()) < answer.text.rindex(COMMENT)
    assert json.loads(last.removeprefix("data: "))["code"] == "upstream_timeout"
    assert "[DONE]" not in answer.text


async def test_a_model_that_fails_after_the_first_heartbeat_is_told_in_the_stream(
    run: Run, upstream: FakeOpenAI, with_upstream: dict[str, Any]
) -> None:
    """Once the response has begun its status cannot change: the failure is an event."""
    upstream.script = [Fault("slow")]
    options = {"stream_heartbeat_seconds": 0.25, "openai_timeout_seconds": 3, "allow_degraded": False}
    async with run(**with_upstream, **options) as service:
        answer = await service.client.post(PATH, json=BODY)
    assert answer.status_code == 200
    assert json.loads(answer.text.strip().rsplit("data: ", 1)[1])["code"] == "upstream_timeout"
    assert "[DONE]" not in answer.text


class Uneven:
    """An answer whose events come after pauses around the heartbeat's time."""

    degraded = cache = None

    def __init__(self) -> None:
        self.closed = 0

    async def open(self) -> None:
        """Nothing to wait for."""

    async def pieces(self) -> AsyncIterator[bytes]:
        """Yield twenty events."""
        for number in range(20):
            await asyncio.sleep(0.008 + 0.001 * (number % 5))
            yield render_event(str(number).encode())

    async def close(self) -> None:
        """Count."""
        self.closed += 1


async def sent_by(response: EventStreamResponse, *, slow_seconds: float = 0) -> list[Message]:
    """Return what ``response`` sends to a client that takes ``slow_seconds`` for each message."""
    sent: list[Message] = []

    async def send(message: Message) -> None:
        await asyncio.sleep(slow_seconds)
        sent.append(message)

    await response.stream_response(send)
    return sent


@pytest.mark.parametrize("slow_seconds", [0, 0.004])
async def test_heartbeats_never_cut_an_event_and_never_follow_the_end(slow_seconds: float) -> None:
    """Two senders take turns by whole messages; all events come, in order, and the last message ends the body."""
    answer = Uneven()
    opening: asyncio.Future[Any] = asyncio.get_running_loop().create_future()
    opening.set_result(answer)
    sent = await sent_by(EventStreamResponse(opening, {}, heartbeat_seconds=0.01), slow_seconds=slow_seconds)
    await asyncio.sleep(0.05)
    bodies = [message["body"] for message in sent[1:]]
    assert [body for body in bodies[:-1] if body != HEARTBEAT] == [render_event(str(n).encode()) for n in range(20)]
    assert HEARTBEAT in bodies
    assert [message.get("more_body") for message in sent[1:]] == [True] * (len(sent) - 2) + [False]
    assert answer.closed == 1
