"""Watches over mTLS: made, told, tested, rotated, read as a stream."""

from __future__ import annotations

import asyncio
import uuid
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest
from trending_support import followed

from castor_chassis.testing import RunningService, TokenIssuer
from castor_chassis.testing.peer import reserved_port

if TYPE_CHECKING:
    from conftest import Run, Stream

WATCHES = "/v1/trending/watches"
KEY = {"webhook_key": "a key of the tests with thirty-two bytes", "webhook_allow_private": True}


@pytest.fixture
def allowed(issuer: TokenIssuer) -> dict[str, str]:
    """Headers of a user that may have watches."""
    return {"Authorization": "Bearer " + issuer.user_token(["trends:read", "watches:write"])}


async def _create(service: RunningService, headers: dict[str, str], **body: Any) -> dict[str, Any]:
    made = await service.client.post(WATCHES, json={"name": "mi alerta", **body}, headers=headers)
    assert made.status_code == 201, made.text
    assert made.headers["location"] == f"{WATCHES}/{made.json()['data']['watch']['id']}"
    return dict(made.json()["data"])


async def _events(service: RunningService, headers: dict[str, str], watch: str, count: int) -> list[dict[str, Any]]:
    for _ in range(500):
        found = (await service.client.get(f"{WATCHES}/{watch}/events", headers=headers)).json()["data"]["items"]
        if len(found) >= count:
            return list(found)
        await asyncio.sleep(0.02)
    raise TimeoutError(f"{count} events of {watch} did not come: {found}")


async def _trends(service: RunningService, asked: dict[str, str]) -> list[dict[str, Any]]:
    for _ in range(500):
        found = (await service.client.get("/v1/trending/history", params=asked)).json()["data"]["items"]
        if found:
            return list(found)
        await asyncio.sleep(0.02)
    raise TimeoutError("no trend is followed")


def _burst(stream: Stream) -> None:
    """A stream of now with one topic that rises."""
    now = datetime.now(UTC)
    for day in range(1, 28):
        for number in range(6):
            stream.tweet(now - timedelta(days=day, hours=number), f"author{number}", f"agua luz vereda{day}x{number}")
    for number in range(14):
        at = now - timedelta(minutes=3 * number + 1)
        stream.tweet(at, f"author{number}", f"#ParoNacional barrio{'abcdefghijklmn'[number]}")


async def test_a_trend_that_starts_is_told_once_and_pushed(
    running: Run, stream: Stream, allowed: dict[str, str]
) -> None:
    """The watch has one event however often is looked, the streams push it, the history has the trend."""
    async with running(track_seconds=0.05, feed_page_size=1000) as service:
        watch = (await _create(service, allowed, kind="trend_starts", topic="#ParoNacional"))["watch"]["id"]
        _burst(stream)
        await followed(service, len(stream.changes))
        since = {"since": "2022-01-01T00:00:00Z", "until": (datetime.now(UTC) + timedelta(days=1)).isoformat()}
        assert (await _trends(service, since))[0]["name"] == "#ParoNacional"
        async with service.client.stream("GET", "/v1/trending/stream", headers={"Last-Event-ID": "0"}) as pushed:
            lines = pushed.aiter_lines()
            told = [await anext(lines) for _ in range(5)]
        assert told[3] == "event: start"
        assert '"name": "#ParoNacional"' in told[4]
        assert [event["kind"] for event in await _events(service, allowed, watch, 1)] == ["trend.started"]


async def test_a_test_message_arrives_whatever_the_target_does(running: Run, allowed: dict[str, str]) -> None:
    """The test button queues an event; of a target that is away its status tells."""
    with reserved_port() as port:
        async with running(**KEY) as service:
            url = f"http://127.0.0.1:{port}/"
            made = await _create(service, allowed, kind="volume_doubles", url=url)
            assert made["secret"].startswith("whsec_")
            watch = made["watch"]["id"]
            assert (await service.client.post(f"{WATCHES}/{watch}/test", headers=allowed)).status_code == 202
            for _ in range(500):
                (event,) = await _events(service, allowed, watch, 1)
                if event["attempts"]:
                    break
                await asyncio.sleep(0.02)
            assert event["status"] == "pending"
            assert "Connect" in event["last_error"]
            rotated = (await service.client.post(f"{WATCHES}/{watch}/secret", headers=allowed)).json()["data"]
            assert rotated["secret"] != made["secret"]


async def test_a_secret_that_is_asked_for_again_is_the_same(running: Run, allowed: dict[str, str]) -> None:
    """A client whose answer was lost repeats it with its Idempotency-Key: the secret in use goes on signing."""
    async with running(**KEY) as service:
        made = await _create(service, allowed, kind="volume_doubles", url="http://127.0.0.1:9/")
        path, headers = f"{WATCHES}/{made['watch']['id']}/secret", {**allowed, "Idempotency-Key": uuid.uuid4().hex}
        first, again = [(await service.client.post(path, headers=headers)).json()["data"]["secret"] for _ in range(2)]
    assert first == again != made["secret"]


async def test_an_owner_watches_few_places(
    running: Run, allowed: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each is looked for by itself; more watches of a place that is watched, and of the whole stream, are taken."""
    monkeypatch.setattr("trending_service.watches.service.MOST_SCOPES", 2)
    async with running() as service:
        for place in ("cali", "bogota", "cali"):
            await _create(service, allowed, kind="trend_starts", place=place)
        await _create(service, allowed, kind="trend_starts")
        body = {"name": "x", "kind": "trend_starts", "entity": "petro"}
        refused = await service.client.post(WATCHES, json=body, headers=allowed)
        assert (refused.status_code, refused.json()["code"]) == (409, "too_many_scopes")


async def test_a_watch_is_its_owners(running: Run, allowed: dict[str, str], issuer: TokenIssuer) -> None:
    """Nobody else sees or changes it; without the scope nobody has any."""
    claims = {**issuer.user_claims(["watches:write"]), "sub": "somebody-else"}
    stranger = {"Authorization": "Bearer " + issuer.sign(claims)}
    async with running() as service:
        watch = (await _create(service, allowed, kind="sentiment_falls"))["watch"]
        assert watch["threshold"] == 0.2
        assert (await service.client.get(WATCHES)).status_code == 403
        for method, path in (("GET", ""), ("DELETE", ""), ("GET", "/events"), ("GET", "/stream"), ("POST", "/test")):
            answer = await service.client.request(method, f"{WATCHES}/{watch['id']}{path}", headers=stranger)
            assert answer.status_code == 404, path
        assert (await service.client.get(WATCHES, headers=stranger)).json()["data"]["items"] == []
        assert (await service.client.delete(f"{WATCHES}/{watch['id']}", headers=allowed)).status_code == 200
        assert (await service.client.get(f"{WATCHES}/{watch['id']}", headers=allowed)).status_code == 404


@pytest.mark.parametrize(
    ("body", "status", "code"),
    [
        ({"kind": "trend_starts", "url": "https://127.0.0.1/x"}, 422, "validation_error"),
        ({"kind": "trend_starts", "url": "http://example.com/x"}, 422, "validation_error"),
        ({"kind": "volume_doubles", "topic": "paro"}, 422, "validation_error"),
        ({"kind": "volume_doubles", "threshold": 0.5}, 422, "validation_error"),
        ({"kind": "trend_starts", "quiet_from": 22}, 422, "validation_error"),
        ({"kind": "rain"}, 422, "validation_error"),
    ],
)
async def test_a_watch_that_makes_no_sense_is_refused(
    running: Run, allowed: dict[str, str], body: dict[str, Any], status: int, code: str
) -> None:
    """With the code of what is wrong."""
    async with running(webhook_key=KEY["webhook_key"]) as service:
        answer = await service.client.post(WATCHES, json={"name": "x", **body}, headers=allowed)
        assert (answer.status_code, answer.json()["code"]) == (status, code)


async def test_without_a_key_there_are_no_webhooks(running: Run, allowed: dict[str, str]) -> None:
    """409 that says what to set; a watch without a url works."""
    async with running() as service:
        body = {"name": "x", "kind": "trend_starts", "url": "https://example.com/hook"}
        answer = await service.client.post(WATCHES, json=body, headers=allowed)
        assert (answer.status_code, answer.json()["code"]) == (409, "webhooks_off")
        assert "WEBHOOK_KEY" in answer.json()["error"]
        assert (await _create(service, allowed, kind="trend_starts"))["secret"] is None


async def test_a_stream_ends_by_itself_before_its_deadline(running: Run) -> None:
    """A client that grants little time gets a whole answer, not a broken one, and may come again."""
    async with running() as service:
        hurry = {"X-Request-Timeout-Ms": "4000"}
        answer = await service.client.get("/v1/trending/stream", headers=hurry)
        assert answer.status_code == 200
        assert answer.headers["content-type"].startswith("text/event-stream")
        assert answer.text.startswith("retry: 1000")
