"""The access log."""

from __future__ import annotations

import json
import subprocess
import sys
from typing import Any

import pytest
import structlog

from castor_chassis.testing import TokenIssuer
from small_service import Running

FAILING = """
import asyncio, sys
import asyncpg, structlog
from pydantic import BaseModel
from castor_chassis.observability.logging import configure_logging

class Tweet(BaseModel):
    likes: int

async def store() -> None:
    connection = await asyncpg.connect(sys.argv[1])
    await connection.execute("CREATE TEMP TABLE tweets (id int, text text CHECK (length(text) < 3))")
    await connection.execute("INSERT INTO tweets VALUES (1, $1)", sys.argv[2])

configure_logging("small-service", "INFO")
log = structlog.get_logger()
for attempt in (lambda: Tweet.model_validate({"likes": sys.argv[2]}), lambda: asyncio.run(store())):
    try:
        attempt()
    except (ValueError, asyncpg.PostgresError) as error:
        log.exception("worker_failed")
        log.warning("worker_waits", reason=str(error))
log.info("nothing", reason=None)
"""


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


def test_no_text_of_a_tweet_is_logged_with_an_exception(postgres_url: str) -> None:
    """pydantic shows the value that is wrong and PostgreSQL the row; the line says all but these."""
    text = "Lo borró Ana (hoy).\n\nLa de Cali (ayer)\nPopayán."
    run = subprocess.run(
        [sys.executable, "-c", FAILING, postgres_url, text], capture_output=True, text=True, check=True, timeout=60
    )
    lines = [json.loads(line) for line in run.stdout.splitlines()]
    assert [line["event"] for line in lines] == ["worker_failed", "worker_waits"] * 2 + ["nothing"]
    assert not any(word in json.dumps(lines, ensure_ascii=False) for word in ("borró", "Ana", "Cali", "Popay"))
    assert all("likes" in str(line) and "input_type=str" in str(line) for line in lines[:2])
    assert all("tweets_text_check" in str(line) for line in lines[2:4])
    assert lines[4]["reason"] is None
