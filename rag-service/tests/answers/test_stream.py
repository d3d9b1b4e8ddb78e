"""Answers as server-sent events."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Coroutine
from typing import TYPE_CHECKING, Any

import pytest

from castor_chassis import RequestInfo, set_request
from rag_service.api.streams import event_stream

if TYPE_CHECKING:
    from conftest import World


def _events(text: str) -> list[tuple[str, Any]]:
    blocks = [block.split("\n") for block in text.strip().split("\n\n") if not block.startswith(":")]
    return [(name.removeprefix("event: "), json.loads(data.removeprefix("data: "))) for name, data in blocks]


async def test_a_stream_ends_with_the_answer_that_query_gives(world: World) -> None:
    """The lines of the answer come as parts, then the answer with its citations."""
    world.openai.down = True
    await world.upload({"id": "a", "text": "Habrá tres hospitales nuevos.", "published_at": "2022-03-01T00:00:00Z"})
    body = {"question": "¿Hospitales?", "as_of": "2022-05-01T00:00:00Z"}
    plain = await world.call("POST", "/v1/rag/query", body)
    response = await world.service.client.post("/v1/rag/query/stream", json=body, headers=world.headers)
    assert response.headers["content-type"].startswith("text/event-stream")
    (first, _), *parts, (last, whole) = _events(response.text)
    assert (first, last) == ("searching", "answer")
    assert "\n".join(data["text"] for name, data in parts if name == "part") == plain["data"]["answer"]
    assert whole["data"] == plain["data"]
    assert whole["meta"]["degraded"] == ["embeddings", "llm"]


async def test_a_question_that_makes_no_sense_is_refused_before_the_stream(world: World) -> None:
    """A 422 is a 422, not an event."""
    response = await world.service.client.post("/v1/rag/query/stream", json={"question": " "}, headers=world.headers)
    assert response.status_code == 422


async def test_a_stream_ends_with_an_error_before_its_deadline() -> None:
    """What does not end in time is given up, and said so while the client still hears it."""
    given_up = asyncio.Event()

    async def stalls() -> dict[str, Any]:
        try:
            return await asyncio.Future()
        finally:
            given_up.set()

    deadline = asyncio.get_running_loop().time() + 0.5
    set_request(RequestInfo(deadline=deadline))
    (first, _), (last, said) = await _told(stalls())
    assert (first, last, said["code"]) == ("searching", "error", "deadline_exceeded")
    await asyncio.wait_for(given_up.wait(), 10)


@pytest.mark.parametrize("failure", [ZeroDivisionError(), KeyError("answer")])
async def test_a_stream_that_fails_ends_with_an_error(failure: Exception) -> None:
    """A failure that nobody expected is an event too, which tells nothing of its inside."""

    async def fails() -> dict[str, Any]:
        raise failure

    (_, _), (last, said) = await _told(fails())
    assert (last, said["code"]) == ("error", "internal_error")


async def _told(answer: Coroutine[Any, Any, dict[str, Any]]) -> list[tuple[str, Any]]:
    response = event_stream(answer)
    return _events("".join([bytes(piece).decode() async for piece in response.body_iterator]))
