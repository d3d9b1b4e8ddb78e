"""Scenarios over real TLS."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from castor_chassis.testing import RunningService, ScriptedPeer
from castor_chassis.testing.peer import Call

from ..conftest import FIRST_DAY, counted, day_of

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


async def test_events_before_a_long_gap_are_not_drawn_from(service: RunningService, twitter: ScriptedPeer) -> None:
    """What they brought beyond what was expected is not known, so they are refused instead of bringing nothing."""

    def with_a_gap(call: Call) -> tuple[int, Any, dict[str, str]]:
        status, answer, headers = counted(call)
        empty = day_of("ana", FIRST_DAY - timedelta(days=1))
        answer["data"]["items"] = [
            {**empty, "date": one["date"]} if "2026-04-01" <= one["date"] <= "2026-04-12" else one
            for one in answer["data"]["items"]
        ]
        return status, answer, headers

    twitter.routes["/v1/twitter/counts/daily"] = with_a_gap
    early, late = ["2026-03-10", "2026-03-12", "2026-03-31", "2026-04-13"], ["2026-04-14", "2026-05-01", "2026-05-02"]
    status, body = await post(service, event="debate", event_days=early)
    assert (status, body["code"], body["details"]["observed"]) == (422, "too_few_events", 0)
    assert "on or after 2026-04-14, since the last gap" in body["error"]
    status, body = await post(service, event="debate", event_days=[*early, *late])
    assert status == 200
    assert body["data"]["points"][0]["effect"]["low"] < body["data"]["points"][0]["effect"]["high"]
