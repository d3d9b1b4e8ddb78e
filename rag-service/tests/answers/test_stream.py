"""Answers as server-sent events."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

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
