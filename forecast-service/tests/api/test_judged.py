"""How the tweets behind an index were judged, and by which version of the sentiment model."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import chain, repeat
from typing import Any

from castor_chassis.testing import RunningService, ScriptedPeer
from castor_chassis.testing.peer import Call

from ..conftest import counted

AS_OF = "2026-06-10T12:00:00Z"
COUNTS = "/v1/twitter/counts/daily"


async def icce(service: RunningService) -> Any:
    return await service.client.get("/v1/forecast/icce", params={"entity": "ana", "as_of": AS_OF, "days_back": 30})


async def test_an_index_says_how_its_tweets_were_judged(service: RunningService) -> None:
    """Each day, all days and each week count the tweets judged towards the entity, and those by their text alone."""
    data = (await icce(service)).json()["data"]
    days = [day for day in data["items"] if day["tweets"]]
    assert [day["judged_towards"] for day in days] == [day["tweets"] // 4 for day in days]
    assert [day["judged_by_text"] for day in days] == [day["tweets"] - day["tweets"] // 4 for day in days]
    towards, by_text = (sum(day[name] for day in days) for name in ("judged_towards", "judged_by_text"))
    for whole in (data, data["span"]):
        assert (whole["judged_towards"], whole["judged_by_text"]) == (towards, by_text)
    weeks = (await service.client.get("/v1/forecast/weeks", params={"as_of": AS_OF})).json()["data"]
    for week in (weeks["items"][0]["now"], weeks["items"][0]["before"]):
        assert week["judged_towards"] > 0
        assert week["judged_towards"] + week["judged_by_text"] == week["scored"]


def in_two_pages(twitter: ScriptedPeer, models: Iterator[str]) -> None:
    """Let counts come in two pages, each by the next of ``models``."""

    def answer(call: Call) -> tuple[int, Any, dict[str, str]]:
        status, body, headers = counted(call)
        items, model = body["data"]["items"], next(models)
        half = items[10:] if call.query.get("cursor") else items[:10]
        cursor = None if call.query.get("cursor") else "later"
        data = {"items": [{**item, "model": model} for item in half]}
        return status, {"ok": True, "data": data, "meta": {"next_cursor": cursor}}, headers

    twitter.routes[COUNTS] = answer


async def test_counts_of_two_versions_are_not_mixed(service: RunningService, twitter: ScriptedPeer) -> None:
    """Where the counts change over to another version between two pages, they are read again from the first."""
    in_two_pages(twitter, chain(["a", "b"], repeat("b")))
    answer = await icce(service)
    assert (answer.status_code, answer.json()["data"]["days_observed"]) == (200, 28)
    assert len([call for call in twitter.calls if call.path == COUNTS]) == 4


async def test_counts_that_never_settle_are_refused(service: RunningService, twitter: ScriptedPeer) -> None:
    """Counts whose pages are of different versions again and again give no index but a word of what is the matter."""
    in_two_pages(twitter, (model for pair in repeat("ab") for model in pair))
    answer = await icce(service)
    assert (answer.status_code, answer.json()["code"]) == (503, "counts_change_over")
    assert answer.headers["Retry-After"] == "1"
