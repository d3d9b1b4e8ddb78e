"""The access log."""

from __future__ import annotations

import json
import subprocess
import sys
from typing import Any

import pytest
import structlog

from castor_chassis.observability import logging
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

async def run(statement: str) -> None:
    await (await asyncpg.connect(sys.argv[1])).execute(statement, sys.argv[2])

configure_logging("small-service", "INFO")
log = structlog.get_logger()
likes = {"likes": sys.argv[2]}
statements = sys.argv[3:]
attempts = [lambda: Tweet.model_validate(likes), *([] if statements else [lambda: asyncio.run(store())])]
for attempt in (*attempts, *(lambda one=one: asyncio.run(run(one)) for one in statements)):
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


def logged(*arguments: str) -> list[Any]:
    """Return the lines that the failing program writes."""
    command = [sys.executable, "-c", FAILING, *arguments]
    run = subprocess.run(command, capture_output=True, text=True, check=True, timeout=60)
    return [json.loads(line) for line in run.stdout.splitlines()]


def test_no_text_of_a_tweet_is_logged_with_an_exception(postgres_url: str) -> None:
    """pydantic shows the value that is wrong and PostgreSQL the row; the line says all but these."""
    lines = logged(postgres_url, "Lo borró Ana (hoy).\n\nLa de Cali (ayer)\nPopayán.")
    assert [line["event"] for line in lines] == ["worker_failed", "worker_waits"] * 2 + ["nothing"]
    assert not any(word in json.dumps(lines, ensure_ascii=False) for word in ("borró", "Ana", "Cali", "Popay"))
    assert all("likes" in str(line) and "input_type=str" in str(line) for line in lines[:2])
    assert all("tweets_text_check" in str(line) for line in lines[2:4])
    assert lines[4]["reason"] is None


def test_neither_is_what_imitates_the_end_of_a_value(postgres_url: str) -> None:
    """A value is left out up to the last that can be its end, wherever PostgreSQL and its driver show one."""
    statements = {
        "SELECT $1::text::int": "invalid input syntax for type integer",
        "SELECT $1::int": "invalid input for query argument $1",
        "WITH t AS (SELECT $1::text AS x) SELECT x::int[] FROM t": "malformed array literal",
    }
    text = "Ana, input_type=Cali\nHINT:  Popayán"
    lines = logged(postgres_url, text, *statements)
    assert not any(word in json.dumps(lines, ensure_ascii=False) for word in ("Ana", "Cali", "Popay"))
    assert all("input_type=str" in str(line) for line in lines[:2])
    for number, said in enumerate(statements.values(), 1):
        assert all(said in str(line) for line in lines[2 * number : 2 * number + 2])


@pytest.mark.parametrize("of", ["already exists.", 'is not present in table "people".'])
def test_the_address_in_a_violated_constraint_is_left_out(of: str) -> None:
    """PostgreSQL shows the key; what a deadlock says, which is no value, stays."""
    deadlock = "deadlock detected\nDETAIL:  Process 7 waits for ShareLock on transaction 8; blocked by process 9."
    event = {"reason": f"violated\nDETAIL:  Key (email)=(ana@example.org) {of}"}
    assert "ana" not in logging._without_texts(None, "", event)["reason"]
    assert logging._without_texts(None, "", {"reason": deadlock})["reason"] == deadlock
