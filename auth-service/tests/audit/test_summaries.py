"""What anybody can cause does not fill the audit log."""

from __future__ import annotations

import json
from typing import Any

import asyncpg
import pytest

pytestmark = pytest.mark.asyncio(loop_scope="module")

ATTEMPTS = 40


@pytest.mark.parametrize(
    ("event", "path", "body"),
    [
        ("login_failed", "/v1/auth/login", {"password": "not the password"}),
        ("register_asked", "/v1/auth/register", {"password": "cuatro caballos lentos"}),
        ("password_reset_asked", "/v1/auth/password/forgot", {}),
    ],
)
async def test_what_anybody_can_cause_is_summed_up(
    run_auth: Any, people: Any, database: asyncpg.Connection, event: str, path: str, body: dict[str, str]
) -> None:
    """Of many requests of strangers ten are recorded one by one, and the others as one event with their number."""
    last = await database.fetchval("SELECT coalesce(max(id), 0) FROM audit_events")
    async with run_auth(registration="verified") as auth:
        await auth.ready()
        for _ in range(ATTEMPTS):
            answer = await auth.client.post(path, json={"email": people.email(), **body})
            assert answer.status_code in (200, 202, 401), answer.text
    rows = await database.fetch(
        "SELECT details FROM audit_events WHERE event = $1 AND id > $2 ORDER BY id", event, last
    )
    details = [json.loads(row["details"]) for row in rows]
    assert [entry.get("count") for entry in details] == [None] * 10 + [ATTEMPTS - 10]
    assert details[-1]["addresses"] == 1


async def test_a_sum_names_the_accounts_that_were_tried(
    run_auth: Any, people: Any, database: asyncpg.Connection
) -> None:
    """After the first ten, failures at an account are still found under its id, with their number."""
    async with run_auth() as auth:
        await auth.ready()
        session = await people.register(auth.client)
        guess = {"email": session["user"]["email"], "password": "not the password"}
        for _ in range(13):
            await auth.client.post("/v1/auth/login", json=guess)
    row = await database.fetchrow(
        "SELECT details FROM audit_events WHERE event = 'login_failed' AND subject IS NULL ORDER BY id DESC LIMIT 1"
    )
    assert json.loads(row["details"])["accounts"] == {session["user"]["id"]: 3}


async def test_a_service_that_asks_for_too_much_is_summed_up(run_auth: Any, database: asyncpg.Connection) -> None:
    """Refusals of a service, which may be compromised, are bounded like those of strangers."""
    async with run_auth("forecast-service") as auth:
        await auth.ready()
        for _ in range(25):
            form = {"grant_type": "client_credentials", "audience": "sentiment-service"}
            assert (await auth.client.post("/v1/auth/token", data=form)).status_code == 400
    rows = await database.fetch("SELECT details FROM audit_events WHERE subject = 'forecast-service' ORDER BY id")
    sums = [json.loads(row["details"]) for row in rows]
    assert len(sums) == 11
    assert sums[-1] == {"count": 15, "reasons": {"invalid_grant": 15}}
