"""Registration: open, verified and closed."""

from __future__ import annotations

import asyncio
from typing import Any

import asyncpg
import pytest

from castor_chassis.client.transport import httpx
from castor_chassis.testing import RunningService

from ..timing import take_as_long

pytestmark = pytest.mark.asyncio(loop_scope="module")
URL = "/v1/auth/register"
FIELDS = {
    "first_name": "Ana",
    "last_name": "Ruiz",
    "phone": "+573001234567",
    "campaign_role": "jefe de prensa",
    "candidate_position": "senado",
    "whatsapp_number": "+573001234567",
    "whatsapp_opt_in": True,
}


async def _confirm(client: httpx.AsyncClient, token: str, password: str) -> httpx.Response:
    return await client.post(f"{URL}/confirm", json={"token": token, "password": password})


async def _account(mailing: RunningService, mailbox: Any, people: Any, email: str) -> dict[str, Any]:
    await mailing.client.post(URL, json={"email": email, "password": people.password})
    answer = await _confirm(mailing.client, await mailbox.token(email), people.password)
    assert answer.status_code == 201, answer.text
    session: dict[str, Any] = answer.json()["data"]
    return session


async def test_registration_gives_an_account_and_a_session(auth: RunningService, people: Any) -> None:
    """Whoever registers is logged in: the access token opens /me, which shows what was given."""
    body = {"email": people.email(), "password": people.password, "first_name": "Ana", "phone": "+573001234567"}
    answer = await auth.client.post("/v1/auth/register", json=body)
    assert answer.status_code == 201
    assert answer.headers["cache-control"] == "no-store"
    session = answer.json()["data"]
    assert (session["tokens"]["token_type"], session["tokens"]["expires_in"]) == ("bearer", 900)
    headers = {"Authorization": f"Bearer {session['tokens']['access_token']}"}
    me = (await auth.client.get("/v1/auth/me", headers=headers)).json()["data"]
    assert me == session["user"]
    assert (me["email"], me["first_name"], me["last_name"], me["phone"], me["roles"]) == (
        body["email"], "Ana", None, "+573001234567", ["analyst"],
    )  # fmt: skip


@pytest.mark.parametrize("address", ["=?utf-8?q?=0A?=@b.co", "=?utf-8?q?victim?=@x.co", "ana=?@b.co"])
async def test_an_encoded_word_is_no_address(mailing: RunningService, person: Any, people: Any, address: str) -> None:
    """Nothing that a mail reader decodes is taken for an address, neither a new one nor one's own."""
    for path, body in (
        ("/register", {"email": address, "password": people.password}),
        ("/password/forgot", {"email": address}),
    ):
        answer = await mailing.client.post(f"/v1/auth{path}", json=body)
        assert (answer.status_code, "=?" in answer.json()["error"] + str(answer.json()["details"])) == (422, True), path
    changed = await person.post("/me/email", new_email=address, password=people.password)
    assert changed.status_code == 422


async def test_role_of_registration_defaults_to_the_least(run_auth: Any, people: Any) -> None:
    """Unless a setting says otherwise, a stranger who registers may look at trends, counts and forecasts only."""
    async with run_auth(registration_role="viewer") as auth:
        await auth.ready()
        session = await people.register(auth.client)
        claims = people.claims(session["tokens"]["access_token"])
        assert claims["scope"] == "account:manage counts:read forecasts:read trends:read"


async def test_simultaneous_registrations_of_one_address_make_one_account(auth: RunningService, people: Any) -> None:
    """The database decides the race: one 201, the others 409."""
    body = {"email": people.email(), "password": people.password}
    answers = await asyncio.gather(*(auth.client.post("/v1/auth/register", json=body) for _ in range(6)))
    assert sorted(answer.status_code for answer in answers) == [201, 409, 409, 409, 409, 409]


@pytest.mark.parametrize(
    ("password", "why"),
    [("Colombia2026!", "most common"), ("password1234", "most common"), ("zZzZzZzZzZzZ", "repeats one character")],
)
async def test_weak_password_is_refused_with_the_reason(
    auth: RunningService, people: Any, password: str, why: str
) -> None:
    """The answer says what is wrong with the password and what to do."""
    answer = await auth.client.post("/v1/auth/register", json={"email": people.email(), "password": password})
    assert (answer.status_code, answer.json()["code"]) == (422, "weak_password")
    assert why in answer.json()["error"]


async def test_one_character_repeated_is_refused_as_the_contract_says(auth: RunningService, people: Any) -> None:
    """What the schema rules out is refused before anything is looked up."""
    answer = await auth.client.post("/v1/auth/register", json={"email": people.email(), "password": "z" * 12})
    assert answer.status_code == 422
    assert "repeats one character" in str(answer.json()["details"]["fields"])


async def test_the_email_is_no_password(auth: RunningService) -> None:
    """Neither the whole address nor the part before the @ will do."""
    for password in ("Consuelo.Diaz@example.com", "consuelo.diaz"):
        body = {"email": "consuelo.diaz@example.com", "password": password}
        answer = await auth.client.post("/v1/auth/register", json=body)
        assert answer.status_code == 422
        assert "e-mail address" in answer.json()["error"]


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"email": "nobody"}, "body.email"),
        ({"email": "a@b@example.com"}, "body.email"),
        ({"password": "short"}, "body.password"),
        ({"phone": "call me"}, "body.phone"),
        ({"roles": ["admin"]}, "body.roles"),
    ],
)
async def test_malformed_registration_names_the_field(
    auth: RunningService, people: Any, change: dict[str, Any], field: str
) -> None:
    """A wrong or unknown field is refused, and nobody gives himself a role."""
    body = {"email": people.email(), "password": people.password, **change}
    answer = await auth.client.post("/v1/auth/register", json=body)
    assert answer.status_code == 422
    assert [problem["field"] for problem in answer.json()["details"]["fields"]] == [field]


async def test_an_account_begins_with_the_token_and_the_password(
    mailing: RunningService, mailbox: Any, people: Any, database: asyncpg.Connection
) -> None:
    """Until the token is shown there is no account; then it has all that was given, and a session."""
    email = people.email()
    asked = await mailing.client.post(URL, json={"email": email, "password": people.password, **FIELDS})
    assert (asked.status_code, asked.json()["data"]) == (202, {"status": "sent_if_possible"})
    login = {"email": email, "password": people.password}
    assert (await mailing.client.post("/v1/auth/login", json=login)).status_code == 401
    token = await mailbox.token(email)
    assert (await _confirm(mailing.client, token, "not the password")).json()["code"] == "invalid_one_time_token"
    answer = await _confirm(mailing.client, token, people.password)
    user = answer.json()["data"]["user"]
    assert answer.status_code == 201
    assert {name: user[name] for name in FIELDS} == FIELDS
    assert user["email_verified_at"]
    assert (await mailing.client.post("/v1/auth/login", json=login)).status_code == 200
    again = await _confirm(mailing.client, token, people.password)
    assert (again.status_code, again.json()["code"]) == (401, "invalid_one_time_token")
    assert await database.fetchval("SELECT count(*) FROM pending_registrations WHERE email = $1", email) == 0


async def test_a_taken_address_gets_the_answer_of_a_new_one(
    mailing: RunningService, mailbox: Any, people: Any, database: asyncpg.Connection
) -> None:
    """Body, status and headers are the same; the owner is told, and no token is sent that could do harm."""
    taken, new = people.email(), people.email()
    await _account(mailing, mailbox, people, taken)
    answers = [
        await mailing.client.post(URL, json={"email": email, "password": "otra clave bien larga"})
        for email in (new, taken.upper())
    ]
    seen = [
        (answer.status_code, answer.json(), sorted(set(answer.headers) - {"x-request-id", "date"}))
        for answer in answers
    ]
    assert seen[0] == seen[1]
    word = await mailbox.next(taken, 2)
    assert "ya tiene una cuenta" in word["Subject"]
    assert await mailbox.token(new)
    assert await database.fetchval("SELECT count(*) FROM users WHERE email = $1", taken) == 1


async def test_a_taken_address_takes_as_long_as_a_new_one(run_auth: Any, mailbox: Any, people: Any) -> None:
    """The request does the same work for both: the medians differ by less than a third."""
    async with run_auth(registration="verified", notifier="smtp", smtp_url=mailbox.url) as auth:
        await auth.ready()
        taken = people.email()
        await _account(auth, mailbox, people, taken)

        async def ask(email: str) -> None:
            await auth.client.post(URL, json={"email": email, "password": people.password})

        assert await take_as_long(lambda: ask(taken), lambda: ask(people.email()), samples=15, share=0.66)


async def test_somebody_elses_registration_cannot_be_pressed_on_the_owner(
    mailing: RunningService, mailbox: Any, people: Any
) -> None:
    """An attacker registers the victim's address with his own password: the victim's token does not open it."""
    victim = people.email()
    await mailing.client.post(URL, json={"email": victim, "password": "la clave del atacante"})
    token = await mailbox.token(victim)
    assert (await _confirm(mailing.client, token, people.password)).status_code == 401
    await mailing.client.post(URL, json={"email": victim, "password": people.password})
    second = await mailbox.token(victim, 2)
    assert (await _confirm(mailing.client, second, people.password)).status_code == 201
    assert (await _confirm(mailing.client, token, "la clave del atacante")).status_code == 401


async def test_one_token_opens_one_account_however_many_show_it(
    mailing: RunningService, mailbox: Any, people: Any
) -> None:
    """Six at once with one token: one 201, the others 401."""
    email = people.email()
    await mailing.client.post(URL, json={"email": email, "password": people.password})
    token = await mailbox.token(email)
    answers = await asyncio.gather(*(_confirm(mailing.client, token, people.password) for _ in range(6)))
    assert sorted(answer.status_code for answer in answers) == [201, 401, 401, 401, 401, 401]


async def test_weakness_is_told_before_anything_is_sent(mailing: RunningService, mailbox: Any, people: Any) -> None:
    """A weak password is refused with 422 for a new and a taken address alike."""
    taken = people.email()
    await _account(mailing, mailbox, people, taken)
    for email in (taken, people.email()):
        answer = await mailing.client.post(URL, json={"email": email, "password": "Colombia2026!"})
        assert (answer.status_code, answer.json()["code"]) == (422, "weak_password")


async def test_closed_registration_says_so(run_auth: Any, people: Any) -> None:
    """With REGISTRATION=closed nobody registers."""
    async with run_auth(registration="closed") as auth:
        await auth.ready()
        answer = await auth.client.post(URL, json={"email": people.email(), "password": people.password})
        assert (answer.status_code, answer.json()["code"]) == (403, "registration_closed")


async def test_a_mail_server_that_is_away_delays_the_mail_only(
    mailing: RunningService, mailbox: Any, people: Any, database: asyncpg.Connection
) -> None:
    """While the server refuses, requests are answered as ever; the token arrives once it takes mail again."""
    email = people.email()
    mailbox.refuses = True
    try:
        answer = await mailing.client.post(URL, json={"email": email, "password": people.password})
        assert answer.status_code == 202
        while not await database.fetchval("SELECT count(*) FROM outbox WHERE attempts > 0"):
            await asyncio.sleep(0.02)
        sealed = await database.fetchval("SELECT string_agg(encode(sealed, 'escape'), '') FROM outbox")
        assert email not in sealed
    finally:
        mailbox.refuses = False
    await database.execute("UPDATE outbox SET due_at = now()")
    assert (await _confirm(mailing.client, await mailbox.token(email), people.password)).status_code == 201
