"""What people do with their own account: change, close and erase it, and move it to another address."""

from __future__ import annotations

from typing import Any

import asyncpg
import pytest

from castor_chassis.testing import until

from ..people import Person

pytestmark = pytest.mark.asyncio(loop_scope="module")
NEXT = "otra clave bien larga"


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


async def test_an_address_that_is_nobodys_has_the_owner_warned_once(
    person: Person, mailbox: Any, people: Any, database: asyncpg.Connection
) -> None:
    """However often the mail to the new address is tried."""
    other = people.email()
    mailbox.unknown.add(other)
    assert (await person.post("/me/email", password=people.password, new_email=other)).status_code == 202

    async def tried() -> bool:
        await database.execute("UPDATE outbox SET due_at = now() WHERE attempts < 3")
        return bool(await database.fetchval("SELECT max(attempts) >= 3 FROM outbox"))

    await until(tried)
    await database.execute("DELETE FROM outbox")
    assert len([mail for mail in mailbox.to(person.email) if "otra dirección" in mail.get_content()]) == 1


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
