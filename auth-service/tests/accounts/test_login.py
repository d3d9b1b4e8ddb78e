"""Login with a password, and the first administrator."""

from __future__ import annotations

import asyncio
from typing import Any

import asyncpg
import pytest

from castor_chassis.client.transport import httpx
from castor_chassis.testing import RunningService

from ..timing import take_as_long

pytestmark = pytest.mark.asyncio(loop_scope="module")


async def test_email_is_one_whatever_its_case(auth: RunningService, people: Any) -> None:
    """The same address in capitals cannot register twice, and logs in to the same account."""
    email = people.email()
    session = await people.register(auth.client, email)
    again = await auth.client.post("/v1/auth/register", json={"email": email.upper(), "password": people.password})
    assert (again.status_code, again.json()["code"]) == (409, "email_taken")
    login = await auth.client.post("/v1/auth/login", json={"email": email.upper(), "password": people.password})
    assert login.json()["data"]["user"]["id"] == session["user"]["id"]


async def test_unknown_address_and_wrong_password_get_one_answer(auth: RunningService, people: Any) -> None:
    """Status, code and sentence tell nobody which addresses have accounts."""
    known = people.email()
    await people.register(auth.client, known)
    bodies = []
    for email in (known, people.email(), "no address at all"):
        answer = await auth.client.post("/v1/auth/login", json={"email": email, "password": "not the password"})
        assert answer.status_code == 401
        bodies.append({name: value for name, value in answer.json().items() if name != "request_id"})
    assert bodies[0] == bodies[1] == bodies[2]
    assert bodies[0]["code"] == "invalid_credentials"


async def refused_as_late(client: httpx.AsyncClient, one: str, other: str) -> bool:
    """Return whether logins at two addresses with a wrong password take as long as one another."""

    async def ask(email: str) -> None:
        await client.post("/v1/auth/login", json={"email": email, "password": "not the password"})

    return await take_as_long(lambda: ask(one), lambda: ask(other), samples=7, share=0.5)


async def test_unknown_address_takes_as_long_as_a_known_one(run_auth: Any, people: Any) -> None:
    """Login hashes a password in either case: the medians differ by less than half of one hash."""
    async with run_auth(password_memory_kib=32_768, password_passes=2) as auth:
        await auth.ready()
        known, unknown = people.email(), people.email()
        await people.register(auth.client, known)
        assert await refused_as_late(auth.client, known, unknown)


async def test_a_voided_password_takes_as_long_as_an_unknown_address(
    run_auth: Any, people: Any, database: asyncpg.Connection
) -> None:
    """Nobody learns from the time of a login that an administrator has voided the password of an account."""
    async with run_auth(password_memory_kib=32_768, password_passes=2) as auth:
        await auth.ready()
        voided, unknown = people.email(), people.email()
        await people.register(auth.client, voided)
        await database.execute("UPDATE users SET password_hash = '!' WHERE email = $1", voided)
        assert await refused_as_late(auth.client, voided, unknown)


async def test_closed_account_answers_like_a_wrong_password(
    auth: RunningService, people: Any, database: asyncpg.Connection
) -> None:
    """An account that is not active can neither log in nor refresh."""
    email = people.email()
    session = await people.register(auth.client, email)
    await database.execute("UPDATE users SET is_active = false WHERE email = $1", email)
    login = await auth.client.post("/v1/auth/login", json={"email": email, "password": people.password})
    assert (login.status_code, login.json()["code"]) == (401, "invalid_credentials")
    refresh = await auth.client.post("/v1/auth/refresh", json={"refresh_token": session["tokens"]["refresh_token"]})
    assert refresh.status_code == 401


async def test_first_administrator_exists_and_stays_one(run_auth: Any, people: Any) -> None:
    """The bootstrap account can do everything, and a second start changes nothing about it."""
    ids = set()
    for _ in range(2):
        async with run_auth() as auth:
            await auth.ready()
            body = {"email": people.administrator, "password": people.password}
            answer = await auth.client.post("/v1/auth/login", json=body)
            for _ in range(1000):
                if answer.status_code == 200:
                    break
                await asyncio.sleep(0.05)
                answer = await auth.client.post("/v1/auth/login", json=body)
            data = answer.json()["data"]
            ids.add(data["user"]["id"])
            assert {"users:admin", "feed:read"} <= set(people.claims(data["tokens"]["access_token"])["scope"].split())
    assert len(ids) == 1


async def test_a_deleted_first_administrator_stays_deleted(
    run_auth: Any, people: Any, database: asyncpg.Connection
) -> None:
    """Once there was an administrator, a start makes none, whatever the settings say and whoever was deleted."""
    email = people.administrator.lower()
    async with run_auth() as auth:
        await auth.ready()
        await people.administrator_headers(auth.client)
    await database.execute("DELETE FROM users WHERE email = $1", email)
    made = await database.fetchval("SELECT count(*) FROM audit_events WHERE event = 'administrator_created'")
    async with run_auth() as auth:
        await auth.ready()
        await asyncio.sleep(1.5)
    assert await database.fetchval("SELECT count(*) FROM users WHERE email = $1", email) == 0
    again = await database.fetchval("SELECT count(*) FROM audit_events WHERE event = 'administrator_created'")
    assert again == made == 1
    # The other tests of this module log the administrator in.
    await database.execute("DELETE FROM administrator_made")


async def test_hash_of_older_parameters_is_renewed_at_login(
    run_auth: Any, people: Any, database: asyncpg.Connection
) -> None:
    """Raising the cost of argon2id reaches an account at its next login."""
    email = people.email()
    async with run_auth(password_memory_kib=1024) as auth:
        await auth.ready()
        await people.register(auth.client, email)
    async with run_auth(password_memory_kib=2048) as auth:
        await auth.ready()
        for _ in range(2):
            answer = await auth.client.post("/v1/auth/login", json={"email": email, "password": people.password})
            assert answer.status_code == 200
    stored = await database.fetchval("SELECT password_hash FROM users WHERE email = $1", email)
    assert "m=2048" in stored


async def test_a_flood_of_logins_is_shed_not_queued(run_auth: Any, people: Any) -> None:
    """Above the queue of the password threads a login gets 429 at once; those within it are answered."""
    async with run_auth(password_queue=2, password_threads=1, password_memory_kib=65_536) as auth:
        await auth.ready()
        body = {"email": people.email(), "password": "not the password"}
        answers = await asyncio.gather(*(auth.client.post("/v1/auth/login", json=body) for _ in range(12)))
        codes = [answer.json()["code"] for answer in answers]
        assert set(codes) == {"invalid_credentials", "overloaded"}
        assert codes.count("invalid_credentials") >= 2


async def test_attempts_are_counted_by_result(auth: RunningService, people: Any) -> None:
    """The management port exports refused logins and audit events, which operators page on."""
    guess = {"email": people.email(), "password": "not the password"}
    await auth.client.post("/v1/auth/login", json=guess)
    async with httpx.AsyncClient(trust_env=False) as plain:
        text = (await plain.get(f"{auth.management_url}/metrics")).text
    assert 'castor_auth_attempts_total{method="password",result="invalid_credentials"}' in text
    assert 'castor_audit_events_total{event="login_failed"}' in text
    assert 'castor_auth_duration_seconds_bucket{le="0.005",method="password"}' in text
