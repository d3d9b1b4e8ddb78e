"""The index over real TLS, with a scripted twitter-service."""

from __future__ import annotations

import threading
from collections.abc import Sequence

import pytest

from castor_chassis.testing import RunningService, ScriptedPeer
from castor_chassis.testing.peer import Answer
from forecast_service.indexes.narrative import Narrative, ScoredText, narrative

AS_OF = "2026-05-30T15:00:00Z"


async def test_icce_by_day(service: RunningService, twitter: ScriptedPeer) -> None:
    """Whole days before as_of, gaps marked, the sums right, and as_of passed on."""
    answer = await service.client.get("/v1/forecast/icce", params={"entity": "ana", "as_of": AS_OF, "days_back": 30})
    data = answer.json()["data"]
    assert answer.status_code == 200
    assert (data["items"][0]["date"], data["items"][-1]["date"]) == ("2026-04-30", "2026-05-29")
    assert data["days_observed"] == 30 - sum(day["gap"] for day in data["items"])
    assert data["icce"] == data["items"][-1]["icce"]
    assert twitter.calls[-1].query["as_of"] == "2026-05-30T15:00:00.000Z"


async def test_days_before_the_first_tweet_are_not_gaps(service: RunningService) -> None:
    """The series begins with the first day on which anybody was heard."""
    params = {"entity": "ana", "as_of": AS_OF, "days_back": 400}
    data = (await service.client.get("/v1/forecast/icce", params=params)).json()["data"]
    assert data["items"][0]["date"] == "2026-03-01"


@pytest.mark.parametrize("as_of", ["0001-01-01T00:00:00.000Z", "0001-12-31T00:00:00.000Z", "9999-12-31T23:59:59.000Z"])
@pytest.mark.parametrize("days_back", [1, 730])
async def test_moments_at_both_ends_of_the_calendar(
    service: RunningService, twitter: ScriptedPeer, as_of: str, days_back: int
) -> None:
    """There is no data in year 1 and 9999; twitter-service is asked for days that it can have."""
    params: dict[str, str | int] = {"entity": "ana", "as_of": as_of, "days_back": days_back}
    answer = await service.client.get("/v1/forecast/icce", params=params)
    assert (answer.status_code, answer.json()["data"]["as_of"]) == (200, as_of)
    if as_of < "2000":
        assert answer.json()["data"]["days_observed"] == 0
    assert "2004" <= twitter.calls[-1].query["since"] <= twitter.calls[-1].query["until"] < "9999"


async def test_a_day_says_how_many_tweets_it_rests_on(service: RunningService) -> None:
    """Each day has its number of tweets, a band around its value, and what other weights would say."""
    params: dict[str, str | int] = {"entity": "ana", "as_of": AS_OF, "days_back": 30}
    data = (await service.client.get("/v1/forecast/icce", params=params)).json()["data"]
    assert data["tweets"] == sum(day["tweets"] for day in data["items"])
    assert data["days_observed"] + data["days_missing"] + data["days_silent"] == len(data["items"]) == 30
    for day in data["items"]:
        if day["gap"]:
            assert {day[name] for name in ("icce", "low", "high", "sampling_error", "alpha_low")} == {None}
        else:
            assert day["low"] < day["icce"] < day["high"]
            assert day["alpha_low"] <= day["icce"] <= day["alpha_high"]


async def test_all_days_together(service: RunningService) -> None:
    """The span's value rests on all tweets of its days, within its band; one day's span is that day."""
    params: dict[str, str | int] = {"entity": "ana", "as_of": AS_OF, "days_back": 30}
    data = (await service.client.get("/v1/forecast/icce", params=params)).json()["data"]
    assert data["span"]["tweets"] == data["tweets"]
    assert data["span"]["low"] < data["span"]["icce"] < data["span"]["high"]
    data = (await service.client.get("/v1/forecast/icce", params=params | {"days_back": 1})).json()["data"]
    assert {name: data["items"][0][name] for name in data["span"]} == data["span"]


async def test_momentum(service: RunningService) -> None:
    """It is that of the last day of the index, with its error; fewer than eight days are refused."""
    params: dict[str, str | int] = {"entity": "ana", "as_of": AS_OF}
    data = (await service.client.get("/v1/forecast/momentum", params=params)).json()["data"]
    index = (await service.client.get("/v1/forecast/icce", params=params)).json()["data"]
    last = index["items"][-1]
    assert (data["date"], data["momentum"], data["trend"]) == (last["date"], last["momentum"], index["trend"])
    assert data["certain"] == (abs(data["momentum"]) > 1.96 * data["error"])
    few = await service.client.get("/v1/forecast/momentum", params={**params, "days_back": 7})
    assert (few.status_code, few.json()["code"], few.json()["details"]["needed"]) == (422, "too_few_days", 8)


async def test_changes_of_the_level(service: RunningService) -> None:
    """A rhythm without a shift has no change; fewer than 28 days are refused."""
    params: dict[str, str | int] = {"entity": "ana", "as_of": AS_OF}
    data = (await service.client.get("/v1/forecast/changes", params=params)).json()["data"]
    assert (data["items"], data["days_observed"]) == ([], 86)
    few = await service.client.get("/v1/forecast/changes", params={**params, "days_back": 20})
    assert (few.status_code, few.json()["code"]) == (422, "too_few_days")


async def test_share_of_voice(service: RunningService) -> None:
    """The shares of all entities sum to 1, each with a band; a span without any tweet is refused."""
    answer = await service.client.get("/v1/forecast/share-of-voice", params={"as_of": AS_OF, "days_back": 30})
    data = answer.json()["data"]
    assert sum(voice["share"] for voice in data["items"]) == pytest.approx(1, abs=0.001)
    assert [voice["entity"] for voice in data["items"]] == ["ana", "constanza", "vieja"]
    assert all(voice["low"] < voice["share"] < voice["high"] for voice in data["items"] if voice["tweets"])
    assert (data["since"], data["until"], data["days_missing"]) == ("2026-04-30", "2026-05-29", 1)
    early = await service.client.get("/v1/forecast/share-of-voice", params={"as_of": "0001-01-01T00:00:00Z"})
    assert (early.status_code, early.json()["code"]) == (422, "too_few_tweets")


async def test_topic_focus(service: RunningService) -> None:
    """The shares of an entity's topics sum to 1, each with its error and band; tweets on two topics count for both."""
    params: dict[str, str | int] = {"entity": "ana", "as_of": AS_OF}
    data = (await service.client.get("/v1/forecast/topic-focus", params=params)).json()["data"]
    assert (data["since"], data["until"], data["days_missing"]) == ("2026-04-30", "2026-05-29", 1)
    economy, health = data["items"]
    assert (economy["axis"], health["axis"]) == ("economia", "salud")
    assert (economy["share"], health["share"]) == (pytest.approx(2 / 3, abs=1e-4), pytest.approx(1 / 3, abs=1e-4))
    assert data["tweets"] > data["tweets_on_topics"] == economy["tweets"] == 2 * health["tweets"]
    for topic in data["items"]:
        assert topic["low"] < topic["share"] < topic["high"]
        assert topic["high"] - topic["low"] == pytest.approx(2 * 1.96 * topic["sampling_error"], abs=2e-4)


async def test_topic_focus_without_a_topic(service: RunningService) -> None:
    """Where no tweet names a topic there is no share, and the answer says how many tweets there were."""
    params = {"entity": "ana", "as_of": "0001-01-01T00:00:00Z"}
    refused = await service.client.get("/v1/forecast/topic-focus", params=params)
    assert (refused.status_code, refused.json()["code"]) == (422, "no_topic_named")
    assert "None of the 0 tweets of 'ana'" in refused.json()["error"]
    unknown = await service.client.get("/v1/forecast/topic-focus", params={"entity": "nadie"})
    assert (unknown.status_code, unknown.json()["code"]) == (404, "entity_not_found")


@pytest.mark.parametrize(
    ("answer", "status", "code"),
    [
        ((503, {"ok": False, "error": "away", "code": "unavailable"}, {"Retry-After": "7"}), 503, "peer_unavailable"),
        ((404, {"ok": False, "error": "no such route", "code": "not_found"}, {}), 502, "peer_rejected"),
    ],
)
async def test_topic_focus_needs_twitter_service(
    service: RunningService, twitter: ScriptedPeer, answer: Answer, status: int, code: str
) -> None:
    """While twitter-service is away there is no focus; one that is too old to have the route is no missing entity."""
    twitter.routes["/v1/twitter/counts/axes"] = lambda _call: answer
    refused = await service.client.get("/v1/forecast/topic-focus", params={"entity": "ana", "as_of": AS_OF})
    assert (refused.status_code, refused.json()["code"]) == (status, code)
    assert refused.headers.get("Retry-After") == ("7" if status == 503 else None)


async def test_narrative_of_posted_texts(service: RunningService) -> None:
    """The indexes come with a band; a name without a letter is refused."""
    texts = [{"text": "Prefiero a Ana Gómez, es mejor", "positive": 0.8, "negative": 0.1}]
    data = (await service.client.post("/v1/forecast/narrative", json={"name": "Ana Gómez", "texts": texts})).json()
    assert (data["data"]["sve"], data["data"]["cp"], data["data"]["band"]) == (1, 1, "dominant")
    assert 0 <= data["data"]["low"] < data["data"]["ivn"] <= data["data"]["high"] <= 1
    refused = await service.client.post("/v1/forecast/narrative", json={"name": " ", "texts": texts})
    assert refused.status_code == 422


@pytest.mark.parametrize("path", ["icce", "momentum", "share-of-voice", "topic-focus"])
async def test_days_by_their_ends(service: RunningService, twitter: ScriptedPeer, path: str) -> None:
    """since and until ask for the days that as_of and days_back ask for; a moment stands for its day of Bogota."""
    asked: dict[str, str | int] = {"entity": "ana", "as_of": AS_OF} if path != "share-of-voice" else {"as_of": AS_OF}
    for days in (
        {"days_back": 20},
        {"since": "2026-05-10"},
        {"since": "2026-05-10T05:00:00Z", "until": "2026-05-30T05:00:00Z"},
        {"since": "2026-05-10", "until": "2026-06-30", "days_back": 3},
    ):
        assert (await service.client.get(f"/v1/forecast/{path}", params={**asked, **days})).status_code == 200
        assert [twitter.calls[-1].query[end] for end in ("since", "until")] == ["2026-05-10", "2026-05-29"]


async def test_a_week_ends_when_it_is_said(service: RunningService, twitter: ScriptedPeer) -> None:
    """until ends the week; what is known is that of as_of all the same."""
    answer = await service.client.get("/v1/forecast/weeks", params={"until": "2026-05-20", "as_of": AS_OF})
    assert (answer.json()["data"]["since"], answer.json()["data"]["until"]) == ("2026-05-14", "2026-05-20")
    assert twitter.calls[-1].query["since"] == "2026-05-07"


@pytest.mark.parametrize(
    "days", [{"since": "2026-05-30"}, {"since": "2020-01-01"}, {"since": "2026-05-02", "until": "2026-05-01"}]
)
async def test_days_that_make_no_sense(service: RunningService, days: dict[str, str]) -> None:
    """No day, more than 730, and an end before the beginning are refused by the field's name."""
    refused = await service.client.get("/v1/forecast/icce", params={"entity": "ana", "as_of": AS_OF, **days})
    assert refused.status_code == 422
    assert refused.json()["details"]["fields"][0]["field"].startswith("query.")


async def test_narratives_are_computed_off_the_event_loop(
    service: RunningService, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Thousands of texts delay no other request."""
    threads = list[int]()

    def noted(texts: Sequence[ScoredText], name: str) -> Narrative:
        threads.append(threading.get_ident())
        return narrative(texts, name)

    monkeypatch.setattr("forecast_service.api.indexes.narrative", noted)
    body = {"name": "Ana", "texts": [{"text": "Ana", "positive": 0.5, "negative": 0.1}]}
    assert (await service.client.post("/v1/forecast/narrative", json=body)).status_code == 200
    assert len(threads) == 1
    assert threads[0] != threading.get_ident()
