"""Scenarios over real TLS."""

from __future__ import annotations

from typing import Any

import pytest

from castor_chassis.testing import RunningService

AS_OF = "2026-05-30T15:00:00Z"


async def post(service: RunningService, **body: Any) -> tuple[int, dict[str, Any]]:
    answer = await service.client.post("/v1/forecast/scenarios", json={"entity": "ana", "as_of": AS_OF, **body})
    return answer.status_code, answer.json()


async def test_a_scenario_is_a_distribution_beside_the_predecessors_rule(service: RunningService) -> None:
    """Every day has baseline, scenario and effect with intervals; the old rule stands under its own name."""
    status, body = await post(service, sentiment_shift=0.3, event="debate", horizon_days=5)
    data = body["data"]
    assert status == 200, body
    assert [point["date"] for point in data["points"]] == [f"2026-05-{30 + at}" for at in (0, 1)] + [
        f"2026-06-0{at}" for at in (1, 2, 3)
    ]
    for point in data["points"]:
        for part in ("baseline", "scenario", "effect"):
            assert point[part]["low"] <= point[part]["value"] <= point[part]["high"]
    assert data["points"][0]["effect"]["value"] > 2
    assert data["predecessor"]["impact"] == pytest.approx(data["icce"] * 0.25 + 12, abs=0.01)
    assert data["notes"] == ["assumption_not_forecast", "conversation_is_not_votes"]
    assert await post(service, sentiment_shift=0.3, event="debate", horizon_days=5) == (status, {**body})


async def test_past_events_are_taken_from_the_callers_days(service: RunningService) -> None:
    """Three observed days of the kind are enough, two are refused with what is needed."""
    days = ["2026-04-01", "2026-04-10", "2026-05-02", "2020-01-01"]
    assert (await post(service, event="debate", event_days=days))[0] == 200
    status, body = await post(service, event="debate", event_days=days[:2])
    assert (status, body["code"]) == (422, "too_few_events")
    assert (body["details"]["observed"], body["details"]["needed"]) == (2, 3)


@pytest.mark.parametrize(
    ("body", "status", "code"),
    [
        ({"entity": "nobody"}, 404, "entity_not_found"),
        ({"entity": "vieja"}, 422, "data_too_old"),
        ({"as_of": "2026-03-20T12:00:00Z"}, 422, "too_few_days"),
        ({"as_of": "0001-01-01T00:00:00Z"}, 422, "too_few_days"),
        ({"as_of": "9999-12-31T00:00:00Z"}, 422, "too_few_days"),
        ({"sentiment_shift": 1.5}, 422, "validation_error"),
        ({"volume_change": -1}, 422, "validation_error"),
        ({"event": "coup"}, 422, "validation_error"),
        ({"event_days": ["2026-04-01T00:00:00Z"] * 3}, 422, "validation_error"),
    ],
)
async def test_what_cannot_be_simulated_is_refused(
    service: RunningService, body: dict[str, Any], status: int, code: str
) -> None:
    """Unknown entities, old or too little data, shifts out of range."""
    answer = await post(service, **body)
    assert (answer[0], answer[1]["code"]) == (status, code)
