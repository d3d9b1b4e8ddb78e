"""What every route does by itself: errors, correlation, bounds, deadlines, authorisation, logs."""

from __future__ import annotations

import asyncio
import json
from typing import Any

import pytest
import structlog

from castor_chassis import Overloaded
from castor_chassis.testing import TokenIssuer
from small_service import Running, bearer


async def test_success_is_enveloped(running: Running, issuer: TokenIssuer) -> None:
    """A success carries data, and the request id in its headers."""
    async with running() as service:
        headers = {**bearer(issuer, "small:write"), "X-Request-ID": "my-request-1"}
        answer = await service.client.post("/v1/small/echo/a", json={"value": 3}, headers=headers)
    assert answer.json()["ok"] is True
    assert answer.json()["data"]["request_id"] == "my-request-1"
    assert answer.headers["x-request-id"] == "my-request-1"
    assert answer.headers["x-content-type-options"] == "nosniff"


@pytest.mark.parametrize("given", ["short", "has spaces in it", "x" * 129, "new\\nline-injection"])
async def test_unsafe_request_ids_are_replaced(running: Running, given: str) -> None:
    """A request id that is not safe to log is replaced, not refused."""
    async with running() as service:
        answer = await service.client.get("/v1/small/slow?seconds=0", headers={"X-Request-ID": given})
    assert answer.status_code == 200
    assert answer.headers["x-request-id"] != given


BODY_ERRORS: list[tuple[bytes, int, str]] = [
    (b"{", 400, "malformed_request"),
    (b'{"value": "\xff"}', 400, "malformed_request"),
    (b"[" * 100_000, 400, "malformed_request"),
    (b'{"value": true}', 422, "validation_error"),
    (b'{"value": "3"}', 422, "validation_error"),
    (b'{"value": 1, "more": 2}', 422, "validation_error"),
    (b'{"value": 1, "at": 12}', 422, "validation_error"),
    (b'{"value": 1, "at": "2026-05-31T12:00:00"}', 422, "validation_error"),
    (b'{"value": 1, "at": "9999-12-31T23:59:59-14:00"}', 422, "validation_error"),
    (b'{"value": "' + b"x" * 3_000_000 + b'"}', 413, "body_too_large"),
]


@pytest.mark.parametrize(("body", "status", "code"), BODY_ERRORS, ids=lambda value: str(value)[:40])
async def test_bad_bodies_are_named(running: Running, issuer: TokenIssuer, body: bytes, status: int, code: str) -> None:
    """Every way to be malformed has its status and code, in our envelope."""
    headers = {**bearer(issuer, "small:write"), "Content-Type": "application/json"}
    async with running() as service:
        answer = await service.client.post("/v1/small/echo/a", content=body, headers=headers)
    assert (answer.status_code, answer.json()["code"]) == (status, code)
    assert answer.json()["request_id"] == answer.headers["x-request-id"]
    if status == 422:
        assert answer.json()["details"]["fields"][0]["field"].startswith("body.")


async def test_unknown_paths_and_methods(running: Running) -> None:
    """404 and 405 speak our envelope, and Allow names every method of the path."""
    async with running() as service:
        missing = await service.client.get("/v1/nothing")
        method = await service.client.delete("/v1/small/echo/a")
    assert (missing.status_code, missing.json()["code"]) == (404, "not_found")
    assert method.status_code == 405
    assert method.headers["allow"] == "GET, POST"


async def test_failures_do_not_leak(running: Running) -> None:
    """An unexpected failure answers 500 without its text."""
    async with running() as service:
        answer = await service.client.get("/v1/small/broken")
    assert (answer.status_code, answer.json()["code"]) == (500, "internal_error")
    assert "secret" not in answer.text


async def test_deadline_is_enforced(running: Running) -> None:
    """A request ends when its caller's time is spent, long before the work would."""
    async with running() as service:
        answer = await service.client.get("/v1/small/slow?seconds=9", headers={"X-Request-Timeout-Ms": "100"})
    assert (answer.status_code, answer.json()["code"]) == (504, "deadline_exceeded")


async def test_overload_is_shed_at_once(running: Running) -> None:
    """Requests beyond the limit are refused with Retry-After while those within it finish."""
    async with running(max_concurrent_requests=4) as service:
        calls = [service.client.get("/v1/small/slow?seconds=0.5") for _ in range(12)]
        answers = await asyncio.gather(*calls)
    shed = [answer for answer in answers if answer.status_code == 429]
    assert len(shed) == 8
    assert {answer.json()["code"] for answer in shed} == {"overloaded"}
    assert all(answer.headers["retry-after"] == "1" for answer in shed)


async def test_what_would_be_refused_anyhow_is_not_read(running: Running, issuer: TokenIssuer) -> None:
    """A service may refuse a POST by the length it announces: no body, no token is read, and the connection goes on."""
    asked: list[int] = []

    def refuse(announced: int) -> None:
        asked.append(announced)
        raise Overloaded(limit=0, retry_after_seconds=7)

    async with running() as service:
        service.app.state.chassis.admissions["/v1/small/echo/a"] = refuse
        answer = await service.client.post("/v1/small/echo/a", content=b"{" * 300_000)
        headers = bearer(issuer, "small:read", "small:write")
        others = [
            await service.client.get("/v1/small/echo/a", headers=headers),
            await service.client.post("/v1/small/echo/b", json={"value": 3}, headers=headers),
        ]
    assert (answer.status_code, answer.json()["code"], answer.headers["retry-after"]) == (429, "overloaded", "7")
    assert [other.status_code for other in others] == [200, 200]
    assert asked == [300_000]


async def test_scopes_decide(running: Running, issuer: TokenIssuer) -> None:
    """No token is 401, a token without the scope is 403, with it 200."""
    async with running() as service:
        none = await service.client.get("/v1/small/echo/a")
        other = await service.client.get("/v1/small/echo/a", headers=bearer(issuer, "small:write"))
        right = await service.client.get("/v1/small/echo/a", headers=bearer(issuer, "small:read"))
    assert (none.status_code, other.status_code, right.status_code) == (401, 403, 200)
    assert none.headers["www-authenticate"] == "Bearer"
    assert "small:read" in other.json()["error"]


async def test_rate_limit_counts_per_caller(running: Running, issuer: TokenIssuer, redis_url: str) -> None:
    """One caller's surplus is refused with the time to wait; another caller is not touched."""
    greedy, modest = bearer(issuer, "small:read"), bearer(issuer, "small:read")
    async with running(redis_url=redis_url, rate_limit="3/minute") as service:
        answers = [await service.client.get("/v1/small/echo/a", headers=greedy) for _ in range(5)]
        other = await service.client.get("/v1/small/echo/a", headers=modest)
    assert [answer.status_code for answer in answers] == [200, 200, 200, 429, 429]
    assert 0 < int(answers[-1].headers["retry-after"]) <= 60
    assert (answers[-1].headers["ratelimit-limit"], answers[-1].headers["ratelimit-remaining"]) == ("3", "0")
    assert other.status_code == 200


async def test_rate_limit_fails_open(running: Running, issuer: TokenIssuer) -> None:
    """Without Redis nobody is limited, and nobody waits long for it."""
    async with running(redis_url="redis://127.0.0.1:1/0", rate_limit="1/minute") as service:
        headers = bearer(issuer, "small:read")
        answers = [await service.client.get("/v1/small/echo/a", headers=headers) for _ in range(3)]
    assert [answer.status_code for answer in answers] == [200, 200, 200]


async def test_one_json_line_per_request_without_secrets(
    running: Running, issuer: TokenIssuer, capsys: pytest.CaptureFixture[str]
) -> None:
    """The access log is one JSON object with the agreed members, and no token in it."""
    token = issuer.user_token(["small:read"])
    captured: list[dict[str, Any]] = []

    def keep(_logger: Any, _method: str, event: Any) -> Any:
        captured.append(dict(event))
        return event

    structlog.configure(processors=[keep, structlog.processors.JSONRenderer()])
    try:
        async with running() as service:
            await service.client.get("/v1/small/echo/someone", headers={"Authorization": f"Bearer {token}"})
    finally:
        structlog.reset_defaults()
    lines = [event for event in captured if event["event"] == "request"]
    assert len(lines) == 1
    assert {"method", "route", "status", "duration_ms", "peer"} <= lines[0].keys()
    assert lines[0]["route"] == "/v1/small/echo/{name}"
    assert token not in json.dumps(captured) + capsys.readouterr().out
