"""Spans of time, pages and unknown names, over mTLS."""

from __future__ import annotations

import uuid
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import pytest
from trending_support import NOON, TOPICS, followed, tell

from castor_chassis import Invalid
from castor_chassis.testing import RunningService, TokenIssuer
from trending_service.api.schemas import fields

if TYPE_CHECKING:
    from conftest import Run, Stream

WATCHES = "/v1/trending/watches"


@pytest.mark.parametrize(
    ("asked", "hours"),
    [
        ({"as_of": "2022-05-29T12:00:00Z", "window_hours": "24"}, 24),
        ({"since": "2022-05-28T12:00:00Z", "until": "2022-05-29T12:00:00Z"}, 24),
        ({"since": "2022-05-28T12:30:00Z", "until": "2022-05-29T12:00:00Z"}, 24),
        ({"since": "2022-05-28", "until": "2022-05-28"}, 24),
        ({"since": "2022-05-22", "until": "2022-05-28"}, 168),
        ({"since": "2022-05-28", "until": "2022-06-30", "as_of": "2022-05-29T12:00:00Z"}, 31),
    ],
)
async def test_a_window_by_its_ends(running: Run, stream: Stream, asked: dict[str, str], hours: int) -> None:
    """since and until give the window that as_of and window_hours give; a day is one of Bogota, and as_of bounds it."""
    tell(stream)
    async with running() as service:
        await followed(service, len(stream.changes))
        for path in (TOPICS, "/v1/trending/coordination"):
            meta = (await service.client.get(path, params=asked)).json()["meta"]
            assert meta["window_hours"] == hours
            assert meta["as_of"] in ("2022-05-29T12:00:00.000Z", "2022-05-29T05:00:00.000Z")


@pytest.mark.parametrize("asked", [{"until": "2090-12-31"}, {"as_of": "2090-12-31T00:00:00Z"}])
async def test_a_window_ends_now_at_the_latest(running: Run, asked: dict[str, str]) -> None:
    """What has not come yet holds no tweet: the last hours up to now are meant."""
    async with running() as service:
        for path in (TOPICS, "/v1/trending/coordination"):
            meta = (await service.client.get(path, params={**asked, "window_hours": 6})).json()["meta"]
            assert datetime.fromisoformat(meta["as_of"]) <= datetime.now(UTC)
            assert meta["window_hours"] == 6


def test_a_day_that_has_just_begun_has_an_hour(monkeypatch: pytest.MonkeyPatch) -> None:
    """since=today&until=today in its first seconds is a window, and one that begins later than now is refused."""
    today = datetime(2026, 5, 29, 5, tzinfo=UTC)
    monkeypatch.setattr(fields, "moment", lambda asked, _field="": min(asked or today, today))
    assert fields.window_of(today, today + timedelta(days=1), None, 24) == fields.Asked(today, 1)
    with pytest.raises(Invalid):
        fields.window_of(today + timedelta(hours=1), today + timedelta(days=1), None, 24)


@pytest.mark.parametrize(
    ("path", "asked", "field"),
    [
        (TOPICS, {"since": "2022-05-29", "until": "2022-05-28"}, "query.until"),
        (TOPICS, {"since": "2022-01-01", "until": "2022-05-28"}, "query.since"),
        (TOPICS, {"since": "2022-05-29", "as_of": "2022-05-28T00:00:00Z"}, "query.since"),
        (TOPICS, {"until": "1999-01-01"}, "query.until"),
        (TOPICS, {"as_of": "1999-01-01T00:00:00Z"}, "query.as_of"),
        ("/v1/trending/topics/paro/timeline", {"until": "1999-01-01"}, "query.until"),
        ("/v1/trending/history", {"since": "1990-01-01", "until": "2022-05-27"}, "query.since"),
        ("/v1/trending/history", {"since": "1990-01-01", "until": "1999-05-27"}, "query.since"),
        ("/v1/trending/coordination", {"since": "2022-05-01", "until": "2022-05-28"}, "query.since"),
        ("/v1/trending/topics/paro/timeline", {"since": "2020-05-01", "until": "2022-05-28"}, "query.since"),
        ("/v1/trending/history", {"since": "2022-05-28", "until": "2022-05-27"}, "query.until"),
        ("/v1/trending/history", {"since": "2022-05-28", "until": "2022-05-29", "cursor": "7"}, "query.cursor"),
    ],
)
async def test_a_window_that_makes_no_sense(running: Run, path: str, asked: dict[str, str], field: str) -> None:
    """It is refused, and the field is named."""
    async with running() as service:
        refused = (await service.client.get(path, params=asked)).json()
    assert (refused["code"], refused["details"]["fields"][0]["field"]) == ("validation_error", field)


async def test_a_timeline_by_its_ends(running: Run, stream: Stream) -> None:
    """Days from since to until are the buckets, whatever before and after say."""
    tell(stream)
    async with running() as service:
        await followed(service, len(stream.changes))
        asked = {"step": "day", "since": "2022-05-27", "until": "2022-05-29", "before": "1", "after": "5"}
        path = "/v1/trending/topics/%23ParoNacional/timeline"
        found = (await service.client.get(path, params=asked)).json()["data"]["buckets"]
    assert [bucket["at"] for bucket in found] == [f"2022-05-{day}T05:00:00.000Z" for day in (27, 28, 29)]
    assert [bucket["tweets"] for bucket in found] == [0, 1, 5]


@pytest.mark.parametrize("kind", ["place", "entity", "axis", "dataset"])
async def test_a_name_that_nobody_knows(running: Run, stream: Stream, kind: str) -> None:
    """What no stored tweet has is 404; what one has is an empty list where the window has nothing of it."""
    stream.tweet(NOON - timedelta(days=90), "ana", "hace mucho", **known(kind))
    async with running() as service:
        await followed(service, len(stream.changes))
        asked = {"as_of": "2022-05-29T12:00:00Z"}
        for path in (TOPICS, "/v1/trending/best", "/v1/trending/coordination"):
            unknown = await service.client.get(path, params={**asked, kind: "nadie"})
            assert (unknown.status_code, unknown.json()["code"]) == (404, "scope_not_found")
            assert "'nadie'" in unknown.json()["error"]
            assert (await service.client.get(path, params={**asked, kind: "salud"})).status_code == 200


def known(kind: str) -> dict[str, list[str]]:
    """Return the field of a tweet that makes it one of 'salud'."""
    return {{"place": "places", "entity": "entities", "axis": "axes", "dataset": "datasets"}[kind]: ["salud"]}


@pytest.fixture
def allowed(issuer: TokenIssuer) -> dict[str, str]:
    """Headers of a user that may have watches."""
    return {"Authorization": "Bearer " + issuer.user_token(["trends:read", "watches:write"])}


async def _watch(service: RunningService, headers: dict[str, str], name: str) -> dict[str, str]:
    made = await service.client.post(WATCHES, json={"name": name, "kind": "trend_starts"}, headers=headers)
    assert made.status_code == 201, made.text
    return dict(made.json()["data"]["watch"])


async def test_watches_are_paged_composed_and_made_once(running: Run, allowed: dict[str, str]) -> None:
    """Pages joined are all watches, names are composed, and an Idempotency-Key makes one watch of two requests."""
    once = {**allowed, "Idempotency-Key": str(uuid.uuid4())}
    async with running() as service:
        assert await _watch(service, once, "Educación") == await _watch(service, once, "Educación")
        names = ["Educación", "Medelli\u0301n", "Cúcuta"]
        for name in names[1:]:
            await _watch(service, allowed, name)
        seen: list[str] = []
        asked = {"limit": "1"}
        while True:
            answer = (await service.client.get(WATCHES, params=asked, headers=allowed)).json()
            seen += [item["name"] for item in answer["data"]["items"]]
            if answer["meta"]["next_cursor"] is None:
                break
            asked["cursor"] = answer["meta"]["next_cursor"]
    assert seen == ["Educación", "Medellín", "Cúcuta"]
