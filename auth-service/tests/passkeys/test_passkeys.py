"""Passkeys: registration, login and step-up, with an authenticator in software."""

from __future__ import annotations

from typing import Any

import pytest
import pytest_asyncio

from castor_chassis.testing import RunningService

from .authenticator import USER_PRESENT, Authenticator, b64
from .owner import ORIGIN, Owner, somebody

pytestmark = pytest.mark.asyncio(loop_scope="module")


@pytest_asyncio.fixture(loop_scope="module")
async def owner(auth: RunningService, people: Any) -> Owner:
    """Somebody with one passkey."""
    made = await somebody(auth, people)
    added = await made.add()
    assert added.status_code == 201, added.text
    return made


async def test_a_passkey_logs_in_as_two_factors(owner: Owner, people: Any, mailbox: Any) -> None:
    """No password, no code; the token says how, and a mail told the owner of the passkey."""
    opened = await owner.log_in()
    assert opened.status_code == 200, opened.text
    claims = people.claims(opened.json()["data"]["tokens"]["access_token"])
    assert (claims["amr"], claims["acr"]) == (["pop", "user", "mfa"], "aal2")
    assert opened.json()["data"]["user"]["email"] == owner.email
    assert "verificación" in (await mailbox.next(owner.email)).get_content()


async def test_an_answer_counts_once_and_for_its_challenge(owner: Owner) -> None:
    """Neither again nor for other options, nor one that says it was made for registering."""
    body, other = await owner.answer(), await owner.answer()
    assert (await owner.log_in(body)).status_code == 200
    tries = [
        body,
        {**other, "token": body["token"]},
        {**other, "token": "AAAA"},
        {**other, "token": (await owner.options())["token"]},
        {**other, "credential": {}},
        {**other, "credential": {**other["credential"], "rawId": b64(bytes(32))}},
    ]
    for tried in tries:
        refused = await owner.log_in(tried)
        assert (refused.status_code, refused.json()["code"]) == (401, "passkey_refused"), tried


@pytest.mark.parametrize(
    "changed", [{"origin": "https://evil.example"}, {"flags": USER_PRESENT}, {"counter": -1}, {"rp_id": "evil.example"}]
)
async def test_what_an_authenticator_must_prove(owner: Owner, changed: dict[str, Any]) -> None:
    """The page's origin, the person, a counter that grows where it counts, the relying party."""
    for _ in range(2):
        assert (await owner.log_in()).status_code == 200
    for name, value in changed.items():
        setattr(owner.device, name, value)
    refused = await owner.log_in()
    assert (refused.status_code, refused.json()["code"]) == (401, "passkey_refused")


async def test_another_key_does_not_sign_for_it(owner: Owner) -> None:
    """The id alone is worth nothing."""
    owner.device.key = Authenticator(ORIGIN).key
    assert (await owner.log_in()).status_code == 401


async def test_passkeys_are_named_listed_and_removed_by_their_owner(
    owner: Owner, auth: RunningService, people: Any
) -> None:
    """Another account neither sees, renames nor removes one; removal takes the password and ends all sessions."""
    (listed,) = (await owner.ask("GET", "/me/passkeys")).json()["data"]["items"]
    assert (listed["id"], listed["name"], listed["last_used_at"]) == (b64(owner.device.id), "Teléfono", None)
    path = f"/me/passkeys/{listed['id']}"
    stranger = await somebody(auth, people)
    assert (await stranger.ask("PATCH", path, name="x")).status_code == 404
    assert (await stranger.ask("POST", f"{path}/remove", password=stranger.password)).status_code == 404
    assert (await owner.ask("PATCH", path, name="Llave")).status_code == 200
    assert (await owner.ask("GET", "/me/passkeys")).json()["data"]["items"][0]["name"] == "Llave"
    assert (await owner.ask("POST", f"{path}/remove", password="not it at all")).status_code == 403
    assert (await owner.ask("POST", f"{path}/remove", password=owner.password)).status_code == 200
    assert (await owner.ask("GET", "/me")).status_code == 401
    assert (await owner.log_in()).status_code == 401


async def test_registration_belongs_to_its_account(owner: Owner, auth: RunningService, people: Any) -> None:
    """The answer to somebody else's options, or a passkey that is registered, is refused."""
    other = await somebody(auth, people)
    asked = await other.options()
    body = {"token": asked["token"], "name": "x", "credential": other.device.create(asked["options"])}
    assert (await owner.ask("POST", "/me/passkeys", **body)).status_code == 401
    other.device.id = owner.device.id
    assert (await other.add()).status_code == 401
    assert (await other.ask("POST", "/me/passkey-options", password="not it at all")).status_code == 403


async def test_step_up_strengthens_the_same_session(owner: Owner, auth: RunningService, people: Any) -> None:
    """The session is the one of before, acr is aal2 from now on; another account's passkey does not do."""
    before = people.claims(owner.access_token)
    assert before["acr"] == "aal1"
    other = await somebody(auth, people)
    assert (await other.ask("POST", "/me/step-up/passkey", **await owner.answer())).status_code == 401
    stronger = await owner.ask("POST", "/me/step-up/passkey", **await owner.answer())
    assert stronger.status_code == 200, stronger.text
    claims = people.claims(stronger.json()["data"]["access_token"])
    assert (claims["sid"], claims["acr"], set(claims["amr"])) == (before["sid"], "aal2", {"pwd", "pop", "user", "mfa"})
    assert claims["auth_time"] >= before["auth_time"]


async def test_scopes_that_ask_for_a_second_factor_come_with_a_step_up(run_auth: Any, people: Any) -> None:
    """Where administrators need a second factor, the password gives one scope and the passkey gives the others."""
    async with run_auth(mfa_required_roles="analyst") as service:
        await service.ready()
        owner = await somebody(service, people)
        assert people.claims(owner.access_token)["scope"] == "account:manage"
        assert (await owner.add()).status_code == 201
        stronger = await owner.ask("POST", "/me/step-up/passkey", **await owner.answer())
        assert "tweets:read" in people.claims(stronger.json()["data"]["access_token"])["scope"].split()
