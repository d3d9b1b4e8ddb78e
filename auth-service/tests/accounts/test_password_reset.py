"""Forgotten passwords, other addresses, changes, closing and erasing."""

from __future__ import annotations

import statistics
import time
from typing import Any

import asyncpg
import pytest
import pytest_asyncio

from castor_chassis.client.transport import httpx
from castor_chassis.testing import RunningService

pytestmark = pytest.mark.asyncio(loop_scope="module")

NEXT = "otra clave bien larga"


class Person:
    """Somebody with an account and a session."""

    def __init__(self, client: httpx.AsyncClient, email: str, session: dict[str, Any]) -> None:
        self.client = client
        self.email = email
        self.id = session["user"]["id"]
        self.tokens = session["tokens"]

    async def post(self, path: str, **body: Any) -> httpx.Response:
        """Ask with the access token."""
        headers = {"Authorization": f"Bearer {self.tokens['access_token']}"}
        return await self.client.post(f"/v1/auth{path}", json=body, headers=headers)

    async def log_in(self, password: str, email: str | None = None) -> httpx.Response:
        """Log in anew."""
        return await self.client.post("/v1/auth/login", json={"email": email or self.email, "password": password})

    async def refresh(self) -> int:
        """Refresh the session and return the status."""
        body = {"refresh_token": self.tokens["refresh_token"]}
        return (await self.client.post("/v1/auth/refresh", json=body)).status_code


@pytest_asyncio.fixture(loop_scope="module")
async def person(mailing: RunningService, mailbox: Any, people: Any) -> Person:
    """Somebody who registered."""
    email = people.email()
    await mailing.client.post("/v1/auth/register", json={"email": email, "password": people.password})
    body = {"token": await mailbox.token(email), "password": people.password}
    answer = await mailing.client.post("/v1/auth/register/confirm", json=body)
    return Person(mailing.client, email, answer.json()["data"])


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
    assert (await _reset(person.client, token)).json()["data"] == {"done": True}
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
    answers, seconds = [], {person.email: list[float](), people.email(): list[float]()}
    for _ in range(15):
        for email, taken in seconds.items():
            started = time.perf_counter()
            answer = await _forgot(person.client, email)
            taken.append(time.perf_counter() - started)
            answers.append((answer.status_code, answer.text))
    assert set(answers) == {(202, answers[0][1])}
    typical = [statistics.median(taken) for taken in seconds.values()]
    assert min(typical) > 0.5 * max(typical), typical


async def test_messages_to_one_address_are_limited(run_auth: Any, people: Any) -> None:
    """Nobody can have a mailbox flooded: known and unknown addresses alike end in 429."""
    async with run_auth(recovery_rate_limit="2/hour") as auth:
        await auth.ready()
        known = people.email()
        await people.register(auth.client, known)
        for email in (known, people.email()):
            assert [(await _forgot(auth.client, email)).status_code for _ in range(3)] == [202, 202, 429]


async def test_a_password_change_wants_the_old_one_and_ends_other_sessions(
    person: Person, mailbox: Any, people: Any
) -> None:
    """With the present password one gets a new session and all others end; without it, nothing happens."""
    other = (await person.log_in(people.password)).json()["data"]["tokens"]
    wrong = await person.post("/me/password", current_password="not the password", new_password=NEXT)
    assert (wrong.status_code, wrong.json()["code"]) == (403, "wrong_password")
    weak = await person.post("/me/password", current_password=people.password, new_password="castorcastor1")
    assert (weak.status_code, weak.json()["code"]) == (422, "weak_password")
    changed = await person.post("/me/password", current_password=people.password, new_password=NEXT)
    assert changed.status_code == 200, changed.text
    assert await person.refresh() == 401
    dead = await person.client.post("/v1/auth/refresh", json={"refresh_token": other["refresh_token"]})
    assert dead.status_code == 401
    person.tokens = changed.json()["data"]["tokens"]
    assert await person.refresh() == 200
    assert "contraseña" in (await mailbox.next(person.email, 2))["Subject"]


async def test_another_address_counts_once_it_is_proved(person: Person, mailbox: Any, people: Any) -> None:
    """The present address is warned, the other one gets a token, and only that token moves the account."""
    other = people.email()
    assert (await person.post("/me/email", password="not the password", new_email=other)).status_code == 403
    asked = await person.post("/me/email", password=people.password, new_email=other)
    assert asked.status_code == 202
    assert "otra dirección" in (await mailbox.next(person.email, 2)).get_content()
    token = await mailbox.token(other)
    assert (await person.log_in(people.password, other)).status_code == 401
    assert (await person.client.post("/v1/auth/email/confirm", json={"token": token})).status_code == 200
    assert (await person.client.post("/v1/auth/email/confirm", json={"token": token})).status_code == 401
    assert (await person.log_in(people.password, other)).status_code == 200
    assert (await person.log_in(people.password)).status_code == 401


async def test_a_taken_address_cannot_be_moved_to_and_is_not_revealed(
    person: Person, mailbox: Any, people: Any
) -> None:
    """Asking for somebody else's address gets the usual answer; no token is sent, its owner is told."""
    taken = people.email()
    await person.client.post("/v1/auth/register", json={"email": taken, "password": NEXT})
    body = {"token": await mailbox.token(taken), "password": NEXT}
    await person.client.post("/v1/auth/register/confirm", json=body)
    asked = await person.post("/me/email", password=people.password, new_email=taken)
    assert (asked.status_code, asked.json()["data"]) == (202, {"status": "sent_if_possible"})
    assert "ya tiene una cuenta" in (await mailbox.next(taken, 2))["Subject"]


async def test_a_profile_is_changed_field_by_field(person: Person) -> None:
    """What is named changes, null clears, what is absent stays; anything else is refused."""
    headers = {"Authorization": f"Bearer {person.tokens['access_token']}"}
    for body, expected in (
        ({"first_name": "Eva", "whatsapp_number": "+573001112233", "whatsapp_opt_in": True}, ("Eva", "+573001112233")),
        ({"first_name": None}, (None, "+573001112233")),
        ({}, (None, "+573001112233")),
    ):
        answer = await person.client.patch("/v1/auth/me", json=body, headers=headers)
        assert answer.status_code == 200, answer.text
        assert (answer.json()["data"]["first_name"], answer.json()["data"]["whatsapp_number"]) == expected
        assert answer.json()["data"]["whatsapp_opt_in"] is True
    for body in ({"email": "x@y.co"}, {"roles": ["admin"]}, {"whatsapp_number": "300"}, {"whatsapp_opt_in": None}):
        assert (await person.client.patch("/v1/auth/me", json=body, headers=headers)).status_code == 422


async def test_a_closed_account_lets_nobody_in(person: Person, people: Any) -> None:
    """After deactivation neither password nor session opens it, and a forgotten password is not sent."""
    assert (await person.post("/me/deactivate", password="not the password")).status_code == 403
    assert (await person.post("/me/deactivate", password=people.password)).status_code == 200
    assert await person.refresh() == 401
    assert (await person.log_in(people.password)).status_code == 401


async def test_an_erased_account_leaves_no_personal_data(
    person: Person, people: Any, database: asyncpg.Connection
) -> None:
    """No table has the address or a name any more; the audit log keeps an id; the address may register anew."""
    headers = {"Authorization": f"Bearer {person.tokens['access_token']}"}
    await person.client.patch("/v1/auth/me", json={"first_name": "Xochiquetzal"}, headers=headers)
    assert (await person.post("/me/erase", password=people.password)).json()["data"] == {"done": True}
    tables = [
        row["tablename"] for row in await database.fetch("SELECT tablename FROM pg_tables WHERE schemaname = 'public'")
    ]
    assert {"users", "audit_events", "refresh_families", "pending_registrations"} <= set(tables)
    for table in tables:
        rows = await database.fetch(f"SELECT t::text AS text FROM {table} t")
        assert not [row for row in rows if person.email in row["text"] or "Xochiquetzal" in row["text"]], table
    for table in ("refresh_families", "api_keys", "one_time_tokens"):
        assert await database.fetchval(f"SELECT count(*) FROM {table} WHERE user_id = $1::uuid", person.id) == 0
    assert await database.fetchval("SELECT count(*) FROM audit_events WHERE subject = $1", person.id) >= 2
    assert (await person.log_in(people.password)).status_code == 401
    again = await person.client.post("/v1/auth/register", json={"email": person.email, "password": people.password})
    assert again.status_code == 202
