"""A passkey that somebody else added goes with each remedy that its owner is told of."""

from __future__ import annotations

from typing import Any

import asyncpg
import pytest

from castor_chassis.testing import RunningService

from .owner import Owner, somebody

pytestmark = pytest.mark.asyncio(loop_scope="module")
NEXT = "otra clave bien larga"


async def robbed(auth: RunningService, people: Any) -> Owner:
    """Return somebody to whose account a thief has added a passkey."""
    made = await somebody(auth, people)
    assert (await made.add("Ladrón")).status_code == 201
    return made


async def test_the_mail_says_how_to_remove_it(auth: RunningService, people: Any, mailbox: Any) -> None:
    """A change of the password alone would not."""
    owner = await robbed(auth, people)
    text = (await mailbox.next(owner.email)).get_content()
    assert "pida al cambiarla que se quiten también las llaves de acceso" in " ".join(text.split())


async def test_a_new_password_lists_them_and_removes_them_when_asked(
    auth: RunningService, people: Any, mailbox: Any
) -> None:
    """Neither without being asked, nor unseen: the answer and the mail say what is left."""
    owner = await robbed(auth, people)
    body = {"current_password": owner.password, "new_password": NEXT}
    kept = (await owner.ask("POST", "/me/password", **body)).json()["data"]
    assert [one["name"] for one in kept["passkeys"]] == ["Ladrón"]
    assert "(passkeys) que siguen vigentes: 1." in " ".join((await mailbox.next(owner.email, 2)).get_content().split())
    assert (await owner.log_in()).status_code == 200
    owner.access_token = kept["tokens"]["access_token"]
    body = {"current_password": NEXT, "new_password": owner.password, "remove_passkeys": True}
    gone = await owner.ask("POST", "/me/password", **body)
    assert gone.json()["data"]["passkeys"] == []
    assert (await owner.log_in()).status_code == 401


@pytest.mark.parametrize("remove", [False, True])
async def test_so_does_a_reset(auth: RunningService, people: Any, mailbox: Any, remove: bool) -> None:
    """Of a forgotten password."""
    owner = await robbed(auth, people)
    await owner.client.post("/v1/auth/password/forgot", json={"email": owner.email})
    body = {"token": await mailbox.token(owner.email, 2), "new_password": NEXT, "remove_passkeys": remove}
    answer = await owner.client.post("/v1/auth/password/reset", json=body)
    assert len(answer.json()["data"]["passkeys"]) == (0 if remove else 1)
    assert (await owner.log_in()).status_code == (401 if remove else 200)


@pytest.mark.parametrize(("method", "path"), [("POST", "reset-password"), ("DELETE", "mfa")])
async def test_an_administrators_remedies_remove_them(
    auth: RunningService, people: Any, method: str, path: str
) -> None:
    """A voided password, and a factor that is removed, leave no other way in."""
    owner = await robbed(auth, people)
    headers = await people.administrator_headers(auth.client)
    account = people.claims(owner.access_token)["sub"]
    done = await auth.client.request(method, f"/v1/auth/users/{account}/{path}", headers=headers)
    assert done.status_code == 200, done.text
    assert (await owner.log_in()).status_code == 401


async def test_a_session_that_ended_adds_none(auth: RunningService, people: Any, database: asyncpg.Connection) -> None:
    """Also at a replica that has not heard of the remedy, with options that were asked for before it."""
    owner = await somebody(auth, people)
    asked = await owner.options()
    await people.end_unheard(database, owner.access_token)
    credential = owner.device.create(asked["options"])
    refused = await owner.ask("POST", "/me/passkeys", token=asked["token"], name="x", credential=credential)
    assert (refused.status_code, refused.json()["code"]) == (401, "account_changed")
    assert (await owner.ask("GET", "/me/passkeys")).json()["data"]["items"] == []
