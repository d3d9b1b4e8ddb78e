"""Multi-factor authentication: enrolment, login, removal."""

from __future__ import annotations

import asyncio
import base64
import time
from typing import Any

import asyncpg
import pytest
import pytest_asyncio

from auth_service.mfa.totp import STEP_SECONDS, code_at
from castor_chassis.client.transport import httpx
from castor_chassis.testing import RunningService

from ..people import confirm_with_earlier_code

pytestmark = pytest.mark.asyncio(loop_scope="module")


class Holder:
    """Somebody whose app makes codes."""

    def __init__(self, client: httpx.AsyncClient, email: str, password: str, tokens: dict[str, Any]) -> None:
        self.client = client
        self.email = email
        self.password = password
        self.tokens = tokens
        self.key = b""

    async def ask(self, method: str, path: str, **body: Any) -> httpx.Response:
        """Ask with the access token."""
        headers = {"Authorization": f"Bearer {self.tokens['access_token']}"}
        return await self.client.request(method, f"/v1/auth{path}", json=body or None, headers=headers)

    async def log_in(self, password: str | None = None) -> httpx.Response:
        """Take the first step of a login."""
        return await self.client.post(
            "/v1/auth/login", json={"email": self.email, "password": password or self.password}
        )

    async def second_step(self, mfa_token: str, code: str) -> httpx.Response:
        """Take the second step."""
        return await self.client.post("/v1/auth/login/mfa", json={"mfa_token": mfa_token, "code": code})

    async def mfa_token(self) -> str:
        """Take the first step and return what the second needs."""
        answer = await self.log_in()
        assert (answer.status_code, answer.json()["code"]) == (403, "mfa_required")
        token: str = answer.json()["details"]["mfa_token"]
        return token

    def code(self) -> str:
        """Return the app's code."""
        return code_at(self.key, int(time.time()) // STEP_SECONDS)

    async def enrol(self) -> list[str]:
        """Get a key, confirm it, and return the recovery codes."""
        made = await self.ask("POST", "/me/mfa/totp", password=self.password)
        assert made.status_code == 201, made.text
        secret = made.json()["data"]["secret"]
        assert f"secret={secret}&issuer=CASTOR" in made.json()["data"]["uri"]
        self.key = base64.b32decode(secret)
        confirmed = await confirm_with_earlier_code(
            self.key, lambda code: self.ask("POST", "/me/mfa/totp/confirm", code=code)
        )
        assert confirmed.status_code == 200, confirmed.text
        self.tokens = confirmed.json()["data"]["session"]["tokens"]
        codes: list[str] = confirmed.json()["data"]["recovery_codes"]
        return codes


@pytest_asyncio.fixture(loop_scope="module")
async def holder(auth: RunningService, people: Any) -> Holder:
    """Somebody with an account and no second factor yet."""
    email = people.email()
    session = await people.register(auth.client, email)
    return Holder(auth.client, email, people.password, session["tokens"])


async def test_a_login_takes_two_steps_and_a_code_opens_once(holder: Holder) -> None:
    """The password alone answers mfa_required; a code opens one session, and never another."""
    before = holder.tokens["refresh_token"]
    await holder.enrol()
    assert (await holder.client.post("/v1/auth/refresh", json={"refresh_token": before})).status_code == 401
    token = await holder.mfa_token()
    assert (await holder.second_step(token, "000000")).json()["code"] == "invalid_code"
    code = holder.code()
    opened = await holder.second_step(token, code)
    assert opened.status_code == 200, opened.text
    assert opened.json()["data"]["user"]["mfa_enabled"] is True
    again = await holder.second_step(await holder.mfa_token(), code)
    assert (again.status_code, again.json()["code"]) == (403, "invalid_code")


async def test_a_code_strengthens_the_session(holder: Holder, people: Any, database: asyncpg.Connection) -> None:
    """A session that began with the password says aal2 after a code, which is used up; a wrong one changes nothing."""
    await holder.enrol()
    session = people.claims(holder.tokens["access_token"])["sid"]
    await database.execute("UPDATE refresh_families SET amr = '{pwd}' WHERE id = $1::text::uuid", session)
    assert (await holder.ask("POST", "/me/step-up", code="000000")).status_code == 403
    code = holder.code()
    stronger = await holder.ask("POST", "/me/step-up", code=code)
    claims = people.claims(stronger.json()["data"]["access_token"])
    assert (claims["sid"], claims["acr"]) == (session, "aal2")
    assert (await holder.ask("POST", "/me/step-up", code=code)).status_code == 403
    methods = await database.fetchval("SELECT amr FROM refresh_families WHERE id = $1::text::uuid", session)
    assert set(methods) == {"pwd", "otp", "mfa"}


async def test_simultaneous_logins_with_one_code_open_one_session(holder: Holder) -> None:
    """Six second steps at once with the same code: one is let in."""
    await holder.enrol()
    token, code = await holder.mfa_token(), holder.code()
    answers = await asyncio.gather(*(holder.second_step(token, code) for _ in range(6)))
    assert sorted(answer.status_code for answer in answers) == [200, 403, 403, 403, 403, 403]


async def test_a_recovery_code_opens_once(holder: Holder, database: asyncpg.Connection) -> None:
    """Each of ten codes lets in once, however it is typed; they are stored hashed, and new ones void the old."""
    codes = await holder.enrol()
    assert len(set(codes)) == 10
    assert all(len(code.replace("-", "")) == 24 for code in codes)
    stored = await database.fetchval("SELECT string_agg(encode(code_hash, 'hex'), ' ') FROM recovery_codes")
    assert codes[0].replace("-", "") not in stored
    typed = codes[0].upper().replace("-", " ")
    assert (await holder.second_step(await holder.mfa_token(), typed)).status_code == 200
    assert (await holder.second_step(await holder.mfa_token(), codes[0])).status_code == 403
    state = (await holder.ask("GET", "/me/mfa")).json()["data"]
    assert state == {"enabled": True, "required": False, "recovery_codes_left": 9}
    renewed = await holder.ask("POST", "/me/mfa/recovery-codes", password=holder.password, code=codes[1])
    assert renewed.status_code == 200, renewed.text
    assert (await holder.second_step(await holder.mfa_token(), codes[2])).status_code == 403
    new = renewed.json()["data"]["recovery_codes"][0]
    assert (await holder.second_step(await holder.mfa_token(), new)).status_code == 200


async def test_the_first_step_is_worth_nothing_alone_or_changed(holder: Holder, people: Any) -> None:
    """A token of the first step is no access token, cannot be forged, and dies with the password."""
    await holder.enrol()
    token = await holder.mfa_token()
    me = await holder.client.get("/v1/auth/me", headers={"Authorization": f"Bearer {token}"})
    assert me.status_code == 401
    for forged in (token[:-2] + "AA", "x", "ñ", token[4:], people.email()):
        answer = await holder.second_step(forged, holder.code())
        assert (answer.status_code, answer.json()["code"]) == (401, "invalid_mfa_token"), forged
    changed = await holder.ask(
        "POST", "/me/password", current_password=holder.password, new_password="otra clave bien larga"
    )
    assert changed.status_code == 200
    assert (await holder.second_step(token, holder.code())).status_code == 401


async def test_a_key_counts_once_it_is_confirmed_and_is_stored_sealed(
    holder: Holder, database: asyncpg.Connection
) -> None:
    """Enrolment wants the password, changes nothing until a code is given, and the key is nowhere in clear."""
    assert (await holder.ask("POST", "/me/mfa/totp", password="not the password")).status_code == 403
    made = await holder.ask("POST", "/me/mfa/totp", password=holder.password)
    secret = made.json()["data"]["secret"]
    assert (await holder.log_in()).status_code == 200
    assert (await holder.ask("POST", "/me/mfa/totp/confirm", code="000000")).status_code == 403
    stored = await database.fetchval("SELECT totp_sealed FROM users WHERE email = $1", holder.email)
    assert secret.encode() not in stored
    assert base64.b32decode(secret) not in stored
    assert (await holder.ask("POST", "/me/mfa/disable", password=holder.password, code="000000")).status_code == 409


async def test_a_session_that_ended_confirms_no_key(holder: Holder, people: Any, database: asyncpg.Connection) -> None:
    """Also at a replica that has not heard of its end: the owner would be locked out by somebody else's key."""
    made = await holder.ask("POST", "/me/mfa/totp", password=holder.password)
    await people.end_unheard(database, holder.tokens["access_token"])
    key = base64.b32decode(made.json()["data"]["secret"])
    refused = await confirm_with_earlier_code(key, lambda code: holder.ask("POST", "/me/mfa/totp/confirm", code=code))
    assert (refused.status_code, refused.json()["code"]) == (401, "account_changed")
    assert (await holder.ask("GET", "/me/mfa")).json()["data"]["enabled"] is False


async def test_disabling_wants_password_and_code(holder: Holder) -> None:
    """Neither alone removes it; both do, and then the password opens the account again."""
    codes = await holder.enrol()
    disable = "/me/mfa/disable"
    assert (await holder.ask("POST", disable, password="not it at all", code=codes[0])).status_code == 403
    assert (await holder.ask("POST", disable, password=holder.password, code="000000")).status_code == 403
    assert (await holder.ask("POST", "/me/mfa/totp", password=holder.password)).status_code == 409
    assert (await holder.ask("POST", disable, password=holder.password, code=codes[0])).status_code == 200
    assert (await holder.log_in()).status_code == 200


async def test_a_reset_of_the_password_does_not_bypass_it(mailing: RunningService, mailbox: Any, people: Any) -> None:
    """After a reset through the mailbox the login still asks for the second factor."""
    email = people.email()
    await mailing.client.post("/v1/auth/register", json={"email": email, "password": people.password})
    body = {"token": await mailbox.token(email), "password": people.password}
    session = (await mailing.client.post("/v1/auth/register/confirm", json=body)).json()["data"]
    holder = Holder(mailing.client, email, people.password, session["tokens"])
    await holder.enrol()
    await mailing.client.post("/v1/auth/password/forgot", json={"email": email})
    token = await mailbox.token(email, 3)
    reset = {"token": token, "new_password": "otra clave bien larga"}
    answer = await mailing.client.post("/v1/auth/password/reset", json=reset)
    assert answer.json()["data"] == {"done": True, "api_keys": [], "passkeys": []}
    assert (await holder.log_in("otra clave bien larga")).json()["code"] == "mfa_required"


async def test_guessing_codes_is_slowed_down(run_auth: Any, people: Any) -> None:
    """After the free attempts a second step is refused with 429 and Retry-After, even with the right code."""
    async with run_auth(throttle_free_attempts=3, throttle_first_seconds=60) as auth:
        await auth.ready()
        email = people.email()
        session = await people.register(auth.client, email)
        holder = Holder(auth.client, email, people.password, session["tokens"])
        await holder.enrol()
        token = await holder.mfa_token()
        answers = [await holder.second_step(token, "000000") for _ in range(3)]
        assert [answer.status_code for answer in answers] == [403, 403, 403]
        slowed = await holder.second_step(token, holder.code())
        assert (slowed.status_code, slowed.json()["code"]) == (429, "too_many_attempts")
        assert 1 <= int(slowed.headers["retry-after"]) <= 61


async def test_an_administrator_without_one_can_only_get_one(run_auth: Any, people: Any) -> None:
    """Where the role needs a second factor, it gives no scope before, and all of its scopes after."""
    async with run_auth(mfa_required_roles="admin", registration_role="admin") as auth:
        await auth.ready()
        email = people.email()
        session = await people.register(auth.client, email)
        holder = Holder(auth.client, email, people.password, session["tokens"])
        assert people.claims(holder.tokens["access_token"])["scope"] == "account:manage"
        assert (await holder.ask("GET", "/users")).status_code == 403
        assert (await holder.ask("GET", "/me/mfa")).json()["data"]["required"] is True
        await holder.enrol()
        assert "users:admin" in people.claims(holder.tokens["access_token"])["scope"]
        assert (await holder.ask("GET", "/users")).status_code == 200
