"""A forgotten password."""

from __future__ import annotations

from typing import Any

import asyncpg
import pytest

from castor_chassis.client.transport import httpx

from ..people import Person
from ..timing import take_as_long

pytestmark = pytest.mark.asyncio(loop_scope="module")
NEXT = "otra clave bien larga"


async def _forgot(client: httpx.AsyncClient, email: str) -> httpx.Response:
    return await client.post("/v1/auth/password/forgot", json={"email": email})


async def _reset(client: httpx.AsyncClient, token: str, password: str = NEXT) -> httpx.Response:
    return await client.post("/v1/auth/password/reset", json={"token": token, "new_password": password})


async def test_a_forgotten_password_is_set_anew_once(
    person: Person, mailbox: Any, people: Any, database: asyncpg.Connection
) -> None:
    """The token sets a password once; sessions end, the owner is told, and it is stored as a hash alone."""
    assert (await _forgot(person.client, person.email)).status_code == 202
    token = await mailbox.token(person.email, 2)
    stored = await database.fetch("SELECT token_hash FROM one_time_tokens WHERE user_id = $1::uuid", person.id)
    assert [len(row["token_hash"]) for row in stored] == [32]
    assert (await _reset(person.client, token, "Colombia2026!")).json()["code"] == "weak_password"
    assert (await _reset(person.client, token)).json()["data"] == {"done": True, "api_keys": [], "passkeys": []}
    assert (await _reset(person.client, token)).json()["code"] == "invalid_one_time_token"
    assert "cambió" in (await mailbox.next(person.email, 3))["Subject"]
    assert await person.refresh() == 401
    assert (await person.log_in(people.password)).status_code == 401
    assert (await person.log_in(NEXT)).status_code == 200


async def test_a_second_token_voids_the_first(person: Person, mailbox: Any) -> None:
    """Only the last token that was asked for holds."""
    await _forgot(person.client, person.email)
    first = await mailbox.token(person.email, 2)
    await _forgot(person.client, person.email)
    second = await mailbox.token(person.email, 3)
    assert (await _reset(person.client, first)).status_code == 401
    assert (await _reset(person.client, second)).status_code == 200


async def test_an_expired_token_is_worth_nothing(person: Person, mailbox: Any, database: asyncpg.Connection) -> None:
    """After its minutes a token opens nothing."""
    await _forgot(person.client, person.email)
    token = await mailbox.token(person.email, 2)
    await database.execute("UPDATE one_time_tokens SET expires_at = now() WHERE user_id = $1::uuid", person.id)
    assert (await _reset(person.client, token)).status_code == 401


async def test_forgetting_tells_nobody_which_addresses_have_accounts(person: Person, people: Any) -> None:
    """Known and unknown addresses get one answer in one time: the medians differ by less than a half."""
    answers, unknown = set(), people.email()

    async def ask(email: str) -> None:
        answer = await _forgot(person.client, email)
        answers.add((answer.status_code, answer.text))

    assert await take_as_long(lambda: ask(person.email), lambda: ask(unknown), samples=15, share=0.5)
    assert [status for status, _ in answers] == [202]


async def test_messages_to_one_address_are_limited(run_auth: Any, people: Any) -> None:
    """Nobody can have a mailbox flooded: known and unknown addresses alike end in 429."""
    async with run_auth(recovery_rate_limit="2/hour") as auth:
        await auth.ready()
        known = people.email()
        await people.register(auth.client, known)
        for email in (known, people.email()):
            assert [(await _forgot(auth.client, email)).status_code for _ in range(3)] == [202, 202, 429]
