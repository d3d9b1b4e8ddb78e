"""One-time tokens and waiting mails do not outlive a change of the account."""

from __future__ import annotations

import asyncio
from typing import Any

import asyncpg
import pytest

from auth_service.mfa import repository as mfa
from auth_service.users import repository as users
from castor_chassis.testing import RunningService

from ..people import Person

pytestmark = pytest.mark.asyncio(loop_scope="module")
NEXT = "otra clave bien larga"


async def test_a_new_password_voids_a_change_of_address(person: Person, mailbox: Any, people: Any) -> None:
    """Whoever knew the old password asked for another address: after the change the token is worth nothing."""
    other = people.email()
    await person.post("/me/email", password=people.password, new_email=other)
    token = await mailbox.token(other)
    changed = await person.post("/me/password", current_password=people.password, new_password=NEXT)
    assert changed.status_code == 200
    answer = await person.client.post("/v1/auth/email/confirm", json={"token": token})
    assert (answer.status_code, answer.json()["code"]) == (401, "invalid_one_time_token")
    assert (await person.log_in(NEXT)).status_code == 200


async def test_a_new_address_voids_a_reset_in_the_old_mailbox(person: Person, mailbox: Any, people: Any) -> None:
    """A token that was sent to the former address sets no password."""
    other = people.email()
    await person.post("/me/email", password=people.password, new_email=other)
    token = await mailbox.token(other)
    await person.client.post("/v1/auth/password/forgot", json={"email": person.email})
    reset = await mailbox.token(person.email, 3)
    assert (await person.client.post("/v1/auth/email/confirm", json={"token": token})).status_code == 200
    body = {"token": reset, "new_password": NEXT}
    assert (await person.client.post("/v1/auth/password/reset", json=body)).status_code == 401
    assert (await person.log_in(people.password, other)).status_code == 200


async def outbox_is(database: asyncpg.Connection, condition: str) -> None:
    """Return once the mails that wait fulfil a condition."""
    for _ in range(500):
        if await database.fetchval(f"SELECT {condition} FROM outbox"):
            return
        await asyncio.sleep(0.02)
    raise AssertionError(f"not {condition}")


async def test_a_mail_that_waits_is_void_after_a_change(
    person: Person, mailbox: Any, people: Any, database: asyncpg.Connection
) -> None:
    """A change of address that was asked for while the mail server was away is not sent after a new password."""
    other = people.email()
    mailbox.refuses = True
    try:
        await person.post("/me/email", password=people.password, new_email=other)
        await outbox_is(database, "count(*) FILTER (WHERE attempts > 0) > 0")
        await database.execute("UPDATE outbox SET due_at = now() + interval '1 hour'")
        changed = await person.post("/me/password", current_password=people.password, new_password=NEXT)
        assert changed.status_code == 200
    finally:
        mailbox.refuses = False
    await database.execute("UPDATE outbox SET due_at = now()")
    await outbox_is(database, "count(*) = 0")
    assert "contraseña" in (await mailbox.next(person.email, 2))["Subject"]
    assert mailbox.to(other) == []


async def test_keys_are_listed_and_revoked_with_a_new_password(person: Person, mailbox: Any, people: Any) -> None:
    """A change of the password answers with the keys in force, also in the mail, and ends them when asked to."""
    made = await person.post("/api-keys", name="k", scopes=["trends:read"])
    key = made.json()["data"]["id"]
    assert "clave de API" in (await mailbox.next(person.email, 2))["Subject"]
    changed = await person.post("/me/password", current_password=people.password, new_password=NEXT)
    assert [one["id"] for one in changed.json()["data"]["api_keys"]] == [key]
    assert f"castor_{key}" in (await mailbox.next(person.email, 3)).get_content()
    person.tokens = changed.json()["data"]["tokens"]
    body = {"current_password": NEXT, "new_password": people.password, "revoke_api_keys": True}
    again = await person.post("/me/password", **body)
    assert again.json()["data"]["api_keys"] == []
    headers = {"Authorization": f"Bearer {made.json()['data']['key']}"}
    assert (await person.client.get("/v1/auth/me", headers=headers)).status_code == 401


async def test_a_reset_lists_and_revokes_keys(person: Person, mailbox: Any) -> None:
    """So does a reset of a forgotten password."""
    key = (await person.post("/api-keys", name="k", scopes=["trends:read"])).json()["data"]["id"]
    for number, revoke, left in ((3, False, [key]), (5, True, [])):
        await person.client.post("/v1/auth/password/forgot", json={"email": person.email})
        token = await mailbox.token(person.email, number)
        body = {"token": token, "new_password": f"{NEXT} {number}", "revoke_api_keys": revoke}
        answer = await person.client.post("/v1/auth/password/reset", json=body)
        assert [one["id"] for one in answer.json()["data"]["api_keys"]] == left
        await mailbox.next(person.email, number + 1)


async def test_a_new_device_and_other_roles_are_told(
    mailing: RunningService, person: Person, mailbox: Any, people: Any
) -> None:
    """The owner gets a mail for the first login of a device, none for the second, and one for changed roles."""
    body = {"email": person.email, "password": people.password}
    for _ in range(2):
        answer = await person.client.post("/v1/auth/login", json=body, headers={"User-Agent": "another"})
        assert answer.status_code == 200
    admin = await people.administrator_headers(mailing.client)
    path = f"/v1/auth/users/{person.id}/roles"
    assert (await person.client.put(path, json={"roles": ["viewer"]}, headers=admin)).status_code == 200
    subjects = [(await mailbox.next(person.email, number))["Subject"] for number in (2, 3)]
    assert "dispositivo nuevo" in subjects[0]
    assert "permisos" in subjects[1]


@pytest.mark.parametrize(
    "writer",
    [
        lambda db, user: users.set_password(db, user.id, "x"),
        lambda db, user: users.set_email(db, user.id, f"x{user.email}"),
        lambda db, user: users.set_active(db, user.id, True),
        lambda db, user: users.set_roles(db, user.id, ["viewer"]),
        lambda db, user: mfa.confirm(db, user.id, b"\x00", 1),
        lambda db, user: mfa.remove(db, user.id),
    ],
    ids=["password", "address", "state", "roles", "factor added", "factor removed"],
)
async def test_every_change_of_credentials_is_noted(person: Person, database: asyncpg.Connection, writer: Any) -> None:
    """Each writer of password, address, state, roles and factor voids what was begun before it."""
    await database.execute("UPDATE users SET totp_sealed = '\\x00' WHERE id = $1::uuid", person.id)
    async with database.transaction():
        before = await users.by_email(database, person.email)
        assert before is not None
        await writer(database, before)
        after = await users.by_id(database, before.id)
        assert after is not None
        assert not after.has_credentials_of(before)
