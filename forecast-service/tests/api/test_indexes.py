"""The index over real TLS, with a scripted twitter-service."""

from __future__ import annotations

import pytest

from castor_chassis.testing import RunningService, ScriptedPeer

AS_OF = "2026-05-30T15:00:00Z"


async def test_icce_by_day(service: RunningService, twitter: ScriptedPeer) -> None:
    """Whole days before as_of, gaps marked, the sums right, and as_of passed on."""
    answer = await service.client.get("/v1/forecast/icce", params={"entity": "ana", "as_of": AS_OF, "days_back": 30})
    data = answer.json()["data"]
    assert answer.status_code == 200
    assert (data["items"][0]["date"], data["items"][-1]["date"]) == ("2026-04-30", "2026-05-29")
    assert data["days_observed"] == 30 - sum(day["gap"] for day in data["items"])
    assert data["icce"] == data["items"][-1]["icce"]
    assert twitter.calls[-1].query["as_of"] == AS_OF


async def test_days_before_the_first_tweet_are_not_gaps(service: RunningService) -> None:
    """The series begins with the first day on which anybody was heard."""
    params = {"entity": "ana", "as_of": AS_OF, "days_back": 400}
    data = (await service.client.get("/v1/forecast/icce", params=params)).json()["data"]
    assert data["items"][0]["date"] == "2026-03-01"


@pytest.mark.parametrize("as_of", ["0001-01-01T00:00:00Z", "0001-12-31T00:00:00Z", "9999-12-31T23:59:59Z"])
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
