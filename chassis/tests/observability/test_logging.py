"""The access log."""

from __future__ import annotations

import json
from typing import Any

import pytest
import structlog

from castor_chassis.testing import TokenIssuer
from small_service import Running


async def test_one_json_line_per_request_without_secrets(
    running: Running, issuer: TokenIssuer, capsys: pytest.CaptureFixture[str]
) -> None:
    """The access log is one JSON object with the agreed members, and no token in it."""
    token = issuer.user_token(["small:read"])
    captured: list[dict[str, Any]] = []

    def keep(_logger: Any, _method: str, event: Any) -> Any:
        captured.append(dict(event))
        return event

    before = structlog.get_config()
    structlog.configure(processors=[keep, structlog.processors.JSONRenderer()])
    try:
        async with running() as service:
            await service.client.get("/v1/small/echo/someone", headers={"Authorization": f"Bearer {token}"})
    finally:
        structlog.configure(**before)
    lines = [event for event in captured if event["event"] == "request"]
    assert len(lines) == 1
    assert {"method", "route", "status", "duration_ms", "peer"} <= lines[0].keys()
    assert lines[0]["route"] == "/v1/small/echo/{name}"
    assert token not in json.dumps(captured) + capsys.readouterr().out
