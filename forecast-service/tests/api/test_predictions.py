"""Predictions over real TLS, with real PostgreSQL and a twitter-service that can fail."""

from __future__ import annotations

from castor_chassis.testing import RunningService, ScriptedPeer

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
