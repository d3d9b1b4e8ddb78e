"""Predictions over real TLS, with real PostgreSQL and a twitter-service that can fail."""

from __future__ import annotations

import pytest

from castor_chassis.testing import RunningService, ScriptedPeer, past_full_hour

ENDS_OF_THE_CALENDAR = ("0001-01-01T00:00:00Z", "0001-01-02T05:00:00Z", "9999-12-31T23:59:59Z")
AS_OF = "2026-05-30T15:00:00Z"


async def test_prediction_is_kept_and_idempotent(service: RunningService) -> None:
    """Asking twice is one forecast; it can be read back as it was made."""
    body = {"entity": "ana", "as_of": AS_OF, "horizon_days": 14, "level": 0.8}
    first = await service.client.post("/v1/forecast/predictions", json=body)
    second = await service.client.post("/v1/forecast/predictions", json=body)
    made = first.json()["data"]
    assert (first.status_code, second.json()["data"]) == (201, made)
    assert made["points"][0]["date"] == "2026-05-30"
    assert len(made["points"]) == 14
    read = await service.client.get(f"/v1/forecast/predictions/{made['id']}")
    assert read.json()["data"] == made


async def test_without_as_of_a_day_is_one_question(service: RunningService) -> None:
    """Moments of one day make one forecast, which is answered as it was made first; an earlier as_of is another."""
    await past_full_hour()
    made = [(await service.client.post("/v1/forecast/predictions", json={"entity": "ana"})).json() for _ in range(2)]
    assert made[0]["data"] == made[1]["data"], made
    given = await service.client.post("/v1/forecast/predictions", json={"entity": "ana", "as_of": AS_OF})
    assert given.json()["data"]["id"] != made[0]["data"]["id"]


async def test_other_questions_are_other_forecasts(service: RunningService) -> None:
    """Another level is another forecast."""
    ids = set()
    for level in (0.6, 0.8):
        body = {"entity": "ana", "as_of": AS_OF, "level": level}
        ids.add((await service.client.post("/v1/forecast/predictions", json=body)).json()["data"]["id"])
    assert len(ids) == 2


async def test_too_little_history_is_refused(service: RunningService) -> None:
    """Ten days are no history; the answer says how many are needed."""
    body = {"entity": "ana", "as_of": "2026-03-11T12:00:00Z"}
    answer = await service.client.post("/v1/forecast/predictions", json=body)
    assert (answer.status_code, answer.json()["code"]) == (422, "too_few_days")
    assert answer.json()["details"]["needed"] == 14


async def test_unknown_entity_and_prediction(service: RunningService) -> None:
    """What does not exist is 404 with what to do."""
    entity = await service.client.get("/v1/forecast/icce", params={"entity": "nobody"})
    prediction = await service.client.get(f"/v1/forecast/predictions/{'0' * 32}")
    assert (entity.status_code, entity.json()["code"]) == (404, "entity_not_found")
    assert (prediction.status_code, prediction.json()["code"]) == (404, "prediction_not_found")


async def test_twitter_away_is_503_and_old_forecasts_stay(service: RunningService, twitter: ScriptedPeer) -> None:
    """Without twitter-service nothing new is made and nothing made is lost."""
    made = (await service.client.post("/v1/forecast/predictions", json={"entity": "ana", "as_of": AS_OF})).json()[
        "data"
    ]
    twitter.script = [(503, {"ok": False, "error": "down", "code": "unavailable"}, {})] * 3
    away = await service.client.post("/v1/forecast/predictions", json={"entity": "ana", "as_of": AS_OF})
    assert (away.status_code, away.json()["code"]) == (503, "peer_unavailable")
    assert "retry-after" in away.headers
    assert (await service.client.get(f"/v1/forecast/predictions/{made['id']}")).status_code == 200


@pytest.mark.parametrize("as_of", ENDS_OF_THE_CALENDAR)
async def test_moments_without_data_are_refused_at_both_ends_of_the_calendar(
    service: RunningService, as_of: str
) -> None:
    """Year 1 and year 9999 are moments without data like any other, not failures."""
    answer = await service.client.post("/v1/forecast/predictions", json={"entity": "ana", "as_of": as_of})
    assert (answer.status_code, answer.json()["code"]) == (422, "too_few_days")


async def test_a_forecast_says_how_old_its_data_is(service: RunningService) -> None:
    """Five days after the last tweet the forecast still comes, with its age; it begins after the last day."""
    body = {"entity": "vieja", "as_of": "2026-05-07T12:00:00Z"}
    made = (await service.client.post("/v1/forecast/predictions", json=body)).json()["data"]
    assert (made["last_observed"], made["data_age_days"]) == ("2026-05-01", 5)
    assert made["points"][0]["date"] == "2026-05-02"


async def test_old_data_is_not_forecast(service: RunningService) -> None:
    """Nine days after the last tweet the forecast is refused; the answer names the day and the bound."""
    body = {"entity": "vieja", "as_of": "2026-05-11T12:00:00Z"}
    answer = await service.client.post("/v1/forecast/predictions", json=body)
    assert (answer.status_code, answer.json()["code"]) == (422, "data_too_old")
    details = answer.json()["details"]
    assert details.pop("fields") == [{"field": "request", "problem": answer.json()["error"]}]
    assert details == {
        "entity": "vieja", "last_observed": "2026-05-01", "age_days": 9, "bound_days": 7
    }  # fmt: skip


async def test_a_series_that_never_moved_has_an_interval_of_some_width(service: RunningService) -> None:
    """The days were counted from 20 tweets each: the interval is as wide as that makes it, and no skill is claimed."""
    body = {"entity": "constanza", "as_of": AS_OF, "level": 0.99}
    made = (await service.client.post("/v1/forecast/predictions", json=body)).json()["data"]
    assert made["skill"] is None
    assert all(point["high"] - point["low"] > 10 for point in made["points"])
