"""Malformed requests, unknown paths and unexpected failures answer in the envelope."""

from __future__ import annotations

import pytest

from castor_chassis.testing import TokenIssuer
from small_service import Running, bearer

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
