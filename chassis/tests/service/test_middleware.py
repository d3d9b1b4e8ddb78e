"""Request ids, deadlines, load shedding and admissions: what the request layer does before and after a route."""

from __future__ import annotations

import asyncio

import pytest

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


async def test_deadline_is_enforced(running: Running) -> None:
    """A request ends when its caller's time is spent, long before the work would."""
    async with running() as service:
        answer = await service.client.get("/v1/small/slow?seconds=9", headers={"X-Request-Timeout-Ms": "100"})
    assert (answer.status_code, answer.json()["code"]) == (504, "deadline_exceeded")


async def test_overload_is_shed_at_once(running: Running) -> None:
    """Requests beyond the limit are refused with Retry-After while those within it finish."""
    async with running(max_concurrent_requests=4) as service:
        calls = [service.client.get("/v1/small/slow?seconds=3") for _ in range(12)]
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


async def test_no_answer_can_be_framed_sniffed_or_loaded_without_tls(running: Running) -> None:
    """Answers and refusals carry the usual headers once; HSTS not in development: it would stick to localhost."""
    async with running() as service, running(development=True) as developed:
        answers = [await service.client.get(path) for path in ("/v1/small/slow?seconds=0", "/nothing")]
        plain = await developed.client.get("/nothing")
    for answer in answers:
        assert answer.headers["strict-transport-security"] == "max-age=31536000"
        assert answer.headers["content-security-policy"] == "default-src 'none'; frame-ancestors 'none'"
        given = [
            answer.headers.get_list(name) for name in ("x-content-type-options", "x-frame-options", "referrer-policy")
        ]
        assert given == [["nosniff"], ["DENY"], ["no-referrer"]]
    assert "strict-transport-security" not in plain.headers
