"""Indexes and forecasts of one data set."""

from __future__ import annotations

from typing import Any

import pytest

from castor_chassis.testing import RunningService, ScriptedPeer
from castor_chassis.testing.peer import Call

from ..conftest import counted

AS_OF = "2026-05-30T15:00:00Z"
QUERIES: dict[str, dict[str, Any]] = {
    "icce": {"entity": "ana"},
    "momentum": {"entity": "ana"},
    "share-of-voice": {},
    "weeks": {},
    "topic-focus": {"entity": "ana"},
    "entities/ana": {},
    "compare": {"entity": ["ana", "constanza"]},
}


@pytest.mark.parametrize("path", QUERIES)
async def test_the_data_set_is_asked_for(service: RunningService, twitter: ScriptedPeer, path: str) -> None:
    """Every answer is computed from the counts of the data set that was named, and of all where none was."""
    twitter.routes["/v1/twitter/counts/daily"] = counted
    for given in ({"dataset": "norte"}, {}):
        twitter.calls.clear()
        params = {"as_of": AS_OF, **QUERIES[path], **given}
        answer = await service.client.get(f"/v1/forecast/{path}", params=params)
        assert answer.status_code == 200, answer.text
        asked = {call.query.get("dataset") for call in twitter.calls if "/counts/" in call.path}
        assert asked == {given.get("dataset")}


async def test_forecasts_of_two_data_sets_are_two(service: RunningService) -> None:
    """A stored forecast says which data set it is of, and has an id of its own."""
    ids = []
    for dataset in ("norte", "sur", None):
        body = {"entity": "ana", "as_of": AS_OF, "dataset": dataset}
        made = (await service.client.post("/v1/forecast/predictions", json=body, timeout=60)).json()["data"]
        assert made["dataset"] == dataset
        ids.append(made["id"])
    assert len(set(ids)) == 3


async def test_an_unknown_data_set_is_said_to_be(service: RunningService, twitter: ScriptedPeer) -> None:
    """What twitter-service does not know is 404 under its own name, not a missing entity."""

    def unknown(_call: Call) -> tuple[int, Any, dict[str, str]]:
        return 404, {"ok": False, "error": "x", "code": "dataset_not_found", "request_id": "x"}, {}

    twitter.routes["/v1/twitter/counts/daily"] = unknown
    answer = await service.client.get("/v1/forecast/weeks", params={"dataset": "oeste"})
    assert (answer.status_code, answer.json()["code"]) == (404, "dataset_not_found")
    assert "oeste" in answer.json()["error"]


async def test_weeks_over_the_wire(service: RunningService) -> None:
    """Tweets of each entity of the seven whole days before as_of, the largest first, with a band around the index."""
    data = (await service.client.get("/v1/forecast/weeks", params={"as_of": AS_OF})).json()["data"]
    assert (data["since"], data["until"]) == ("2026-05-23", "2026-05-29")
    tweets = [one["now"]["tweets"] for one in data["items"]]
    assert tweets == sorted(tweets, reverse=True)
    assert {one["entity"]: one["now"]["note"] for one in data["items"]}["vieja"] == "silent"
    now = data["items"][0]["now"]
    assert now["low"] < now["icce"] < now["high"]
