"""Register, log in, me."""

from __future__ import annotations

import asyncio
import statistics
import time
from typing import Any

import asyncpg
import pytest

from castor_chassis.client.transport import httpx
from castor_chassis.testing import RunningService

pytestmark = pytest.mark.asyncio(loop_scope="module")


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


async def test_access_token_says_what_the_contract_promises(auth: RunningService, people: Any) -> None:
    """A user's token has exactly the claims that every service relies on, and lives 15 minutes."""
    session = await people.register(auth.client)
    claims = people.claims(session["tokens"]["access_token"])
    assert set(claims) == {"iss", "sub", "aud", "exp", "iat", "jti", "token_use", "sid", "scope", "roles", "email"}
    assert (claims["iss"], claims["aud"], claims["token_use"]) == ("https://auth.castor", "castor", "user")
    assert (claims["sub"], claims["roles"]) == (session["user"]["id"], ["analyst"])
    assert claims["exp"] - claims["iat"] == 900
    scopes = claims["scope"].split()
    assert {"tweets:read", "rag:query", "keys:manage"} <= set(scopes)
    assert not {"users:admin", "feed:read"} & set(scopes)


async def test_role_of_registration_defaults_to_the_least(run_auth: Any, people: Any) -> None:
    """Unless a setting says otherwise, a stranger who registers may look at trends and forecasts only."""
    async with run_auth(registration_role="viewer") as auth:
        await auth.ready()
        session = await people.register(auth.client)
        claims = people.claims(session["tokens"]["access_token"])
        assert claims["scope"] == "account:manage forecasts:read trends:read"


async def test_email_is_one_whatever_its_case(auth: RunningService, people: Any) -> None:
    """The same address in capitals cannot register twice, and logs in to the same account."""
    email = people.email()
    session = await people.register(auth.client, email)
    again = await auth.client.post("/v1/auth/register", json={"email": email.upper(), "password": people.password})
    assert (again.status_code, again.json()["code"]) == (409, "email_taken")
    login = await auth.client.post("/v1/auth/login", json={"email": email.upper(), "password": people.password})
    assert login.json()["data"]["user"]["id"] == session["user"]["id"]


async def test_simultaneous_registrations_of_one_address_make_one_account(auth: RunningService, people: Any) -> None:
    """The database decides the race: one 201, the others 409."""
    body = {"email": people.email(), "password": people.password}
    answers = await asyncio.gather(*(auth.client.post("/v1/auth/register", json=body) for _ in range(6)))
    assert sorted(answer.status_code for answer in answers) == [201, 409, 409, 409, 409, 409]


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


async def test_unknown_address_takes_as_long_as_a_known_one(run_auth: Any, people: Any) -> None:
    """Login hashes a password in either case: the medians differ by less than half of one hash."""
    async with run_auth(password_memory_kib=32_768, password_passes=2) as auth:
        await auth.ready()
        known, unknown = people.email(), people.email()
        await people.register(auth.client, known)
        seconds: dict[str, list[float]] = {known: [], unknown: []}
        for _ in range(7):
            for email, taken in seconds.items():
                started = time.perf_counter()
                await auth.client.post("/v1/auth/login", json={"email": email, "password": "not the password"})
                taken.append(time.perf_counter() - started)
        typical = [statistics.median(taken) for taken in seconds.values()]
        assert min(typical) > 0.5 * max(typical)


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


async def test_first_administrator_exists_and_stays_one(run_auth: Any, people: Any) -> None:
    """The bootstrap account can do everything, and a second start changes nothing about it."""
    ids = set()
    for _ in range(2):
        async with run_auth() as auth:
            await auth.ready()
            body = {"email": people.administrator, "password": people.password}
            answer = await auth.client.post("/v1/auth/login", json=body)
            for _ in range(100):
                if answer.status_code == 200:
                    break
                await asyncio.sleep(0.05)
                answer = await auth.client.post("/v1/auth/login", json=body)
            data = answer.json()["data"]
            ids.add(data["user"]["id"])
            assert {"users:admin", "feed:read"} <= set(people.claims(data["tokens"]["access_token"])["scope"].split())
    assert len(ids) == 1


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


async def test_security_events_are_recorded_and_cannot_be_changed(
    auth: RunningService, people: Any, database: asyncpg.Connection
) -> None:
    """Register, failed and good login leave events without personal data; UPDATE and DELETE are refused."""
    email = people.email()
    session = await people.register(auth.client, email)
    await auth.client.post("/v1/auth/login", json={"email": email, "password": "not the password"})
    await auth.client.post("/v1/auth/login", json={"email": email, "password": people.password})
    rows = await database.fetch(
        "SELECT event, address_hash, request_id, details::text AS details FROM audit_events "
        "WHERE subject = $1 ORDER BY id",
        session["user"]["id"],
    )
    assert [row["event"] for row in rows] == ["register", "login_failed", "login"]
    assert all(len(row["address_hash"]) == 32 and row["request_id"] for row in rows)
    assert not any(email in row["details"] for row in rows)
    for statement in ("UPDATE audit_events SET event = 'x'", "DELETE FROM audit_events", "TRUNCATE audit_events"):
        with pytest.raises(asyncpg.RaiseError, match="append-only"):
            await database.execute(statement)


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
