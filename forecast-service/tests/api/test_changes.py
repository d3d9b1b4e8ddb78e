"""Change points over real TLS, with what was trending then from a scripted trending-service."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from typing import Any

import pytest

from castor_chassis.testing import RunningService, ScriptedPeer, TokenIssuer
from castor_chassis.testing.peer import Answer, Call

from ..conftest import counted

ASKED = {"entity": "ana", "as_of": "2026-05-30T15:00:00Z"}
TOPIC = {
    "id": "t1", "topic": "#PresaRota", "tweets": 12, "authors": 11, "share_change": 9.5, "why": "12 tuits.",
    "score": 4.0,
}  # fmt: skip
MOVED = date(2026, 4, 20)


def moving(*, every_days: int = 1000) -> Any:
    """Return counts whose sentiment turns on ``MOVED`` and back and forth every so many days, amid some noise."""

    def answer(call: Call) -> Answer:
        status, body, headers = counted(call)
        for day in body["data"]["items"]:
            turns = (date.fromisoformat(day["date"]) - MOVED).days // every_days
            day["tweets"] = day["scored"] = 0 if day["gap"] else 20
            noise = date.fromisoformat(day["date"]).toordinal() * 5 % 11 % 3
            day["positive"] = 0 if day["gap"] else noise + (14 if turns % 2 else 4)
            day["negative"] = day["tweets"] - day["positive"]
        return status, body, headers

    return answer


def topics(items: list[Any], tweets_in_window: int = 40) -> Answer:
    """Return an answer of trending-service."""
    meta = {"next_cursor": None, "tweets_in_window": tweets_in_window}
    return 200, {"ok": True, "data": {"items": items}, "meta": meta}, {}


@pytest.fixture
def asks(service: RunningService, twitter: ScriptedPeer, issuer: TokenIssuer) -> Any:
    """``asks(answer, **params)``: the body of an answer about changes, where trending-service answers ``answer``."""
    twitter.routes["/v1/twitter/counts/daily"] = moving()
    service.client.headers["Authorization"] = f"Bearer {issuer.user_token(['forecasts:read', 'trends:read'])}"

    async def ask(answer: Answer, **params: str) -> Any:
        twitter.routes["/v1/trending/topics"] = lambda _call: answer
        found = await service.client.get("/v1/forecast/changes", params={**ASKED, **params})
        assert found.status_code == 200, found.text
        return found.json()

    return ask


def questions(twitter: ScriptedPeer) -> list[dict[str, str]]:
    """Return what trending-service was asked."""
    return [call.query for call in twitter.calls if call.path == "/v1/trending/topics"]


@pytest.mark.parametrize("dataset", [{}, {"dataset": "norte"}])
async def test_what_was_trending_on_the_day_of_a_change(
    asks: Any, twitter: ScriptedPeer, dataset: dict[str, str]
) -> None:
    """It is asked of the entity's tweets of that whole day, in the data set that the index is of; nothing later."""
    body = await asks(topics([TOPIC]), **dataset)
    (change,) = body["data"]["items"]
    assert change["date"] == MOVED.isoformat()
    assert change["topics"] == [{name: TOPIC[name] for name in change["topics"][0]}]
    assert (change["topics"][0]["topic"], body["meta"]["degraded"]) == ("#PresaRota", None)
    moment = {"as_of": "2026-04-21T05:00:00.000Z", "window_hours": "24", "entity": "ana", **dataset}
    assert questions(twitter) == [{**moment, "limit": "3"}]
    asked = "&".join(f"{name}={value}" for name, value in moment.items())
    assert change["trending"] == f"/v1/trending/topics?{asked}"


async def test_a_day_on_which_nothing_was_trending(asks: Any) -> None:
    """That is an answer, and no degraded one."""
    body = await asks(topics([]))
    assert (body["data"]["items"][0]["topics"], body["meta"]["degraded"]) == ([], None)


@pytest.mark.parametrize(
    "answer",
    [
        (503, {"ok": False, "error": "away", "code": "unavailable"}, {}),
        (404, {"ok": False, "error": "no tweet has it", "code": "scope_not_found"}, {}),
        (403, {"ok": False, "error": "not granted", "code": "forbidden"}, {}),
        topics([], tweets_in_window=0),
        topics([{"topic": "#PresaRota"}]),
    ],
    ids=["away", "unknown entity", "not granted", "day not seen yet", "unreadable"],
)
async def test_without_trending_service_the_changes_are_the_same(asks: Any, answer: Answer) -> None:
    """What it does not know is null, never an empty list, and the answer names the part that it was made without."""
    whole = (await asks(topics([TOPIC])))["data"]["items"]
    body = await asks(answer)
    assert body["data"]["items"] == [{**change, "topics": None} for change in whole]
    assert body["meta"]["degraded"] == ["trending"]


async def test_a_slow_trending_service_is_not_waited_for(
    asks: Any, service: RunningService, twitter: ScriptedPeer
) -> None:
    """The time limit ends the wait, and the changes are answered without topics."""
    await asks(topics([TOPIC]))
    resources = service.app.state.resources
    short = replace(resources.changes, trends_timeout_seconds=0.2)
    service.app.state.resources = replace(resources, changes=short)
    twitter.script[:] = [0.0, 3600.0]  # the counts at once, the topics never
    body = await asks(topics([TOPIC]))
    assert (body["data"]["items"][0]["topics"], body["meta"]["degraded"]) == (None, ["trending"])
    assert twitter.script == []


async def test_of_many_changes_the_newest_are_asked_for(asks: Any, twitter: ScriptedPeer) -> None:
    """The five newest have topics; older ones have none, which is no failure of trending-service."""
    twitter.routes["/v1/twitter/counts/daily"] = moving(every_days=10)
    body = await asks(topics([TOPIC]))
    known = [change["topics"] is not None for change in body["data"]["items"]]
    assert len(known) > 5
    assert known == [False] * (len(known) - 5) + [True] * 5
    assert (len(questions(twitter)), body["meta"]["degraded"]) == (5, None)


async def test_who_may_not_read_trends_learns_none(
    asks: Any, service: RunningService, twitter: ScriptedPeer, issuer: TokenIssuer
) -> None:
    """A key for forecasts alone gives no way around trending-service's scope; trending-service is not asked."""
    service.client.headers["Authorization"] = f"Bearer {issuer.user_token(['forecasts:read'])}"
    body = await asks(topics([TOPIC]))
    assert (body["data"]["items"][0]["topics"], body["meta"]) == (None, {"degraded": None, "next_cursor": None})
    assert questions(twitter) == []
