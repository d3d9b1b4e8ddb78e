"""Mails that anybody may cause: few to one address, and never so many that accounts cannot be changed."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import asyncpg
import pytest
import pytest_asyncio

from auth_service.mail.outbox import LIMIT, ROOM_OF_STRANGERS
from castor_chassis.testing import RunningService

from ..people import Person

pytestmark = pytest.mark.asyncio(loop_scope="module")
REGISTER, FORGOT = "/v1/auth/register", "/v1/auth/password/forgot"


@pytest_asyncio.fixture(loop_scope="module")
async def queue(database: asyncpg.Connection) -> AsyncIterator[Any]:
    """``await queue(number)``: so many mails wait, for an hour."""

    async def fill(number: int) -> None:
        await database.execute("DELETE FROM outbox")
        rows = "SELECT '\\x00', now() + interval '1 h' FROM generate_series(1, $1::int)"
        await database.execute(f"INSERT INTO outbox (sealed, due_at) {rows}", number)

    yield fill
    await database.execute("DELETE FROM outbox")


async def test_strangers_cannot_fill_it(mailing: RunningService, person: Person, people: Any, queue: Any) -> None:
    """Their mails are refused while half of the room is left; administrators and owners still use it."""
    admin = await people.administrator_headers(mailing.client)
    await queue(ROOM_OF_STRANGERS)
    new = {"email": people.email(), "password": people.password}
    for path, body in ((REGISTER, new), (FORGOT, {"email": person.email})):
        refused = await mailing.client.post(path, json=body)
        assert (refused.status_code, refused.json()["code"]) == (429, "outbox_full")
    path = f"/v1/auth/users/{person.id}"
    voided = await mailing.client.post(f"{path}/reset-password", headers=admin)
    assert voided.status_code == 200, voided.text


async def test_a_full_one_stops_no_closing_of_an_account(
    mailing: RunningService, person: Person, people: Any, queue: Any
) -> None:
    """What must not wait for a mail goes without one; what needs a mail is refused."""
    admin = await people.administrator_headers(mailing.client)
    await queue(LIMIT)
    path = f"/v1/auth/users/{person.id}"
    roles = await mailing.client.put(f"{path}/roles", json={"roles": ["viewer"]}, headers=admin)
    assert (roles.status_code, roles.json()["code"]) == (429, "outbox_full")
    assert (await mailing.client.delete(f"{path}/mfa", headers=admin)).status_code == 200
    closed = await mailing.client.post(f"{path}/suspend", json={"reason": "a test"}, headers=admin)
    assert closed.status_code == 200, closed.text


async def test_registrations_are_limited_per_addressee(run_auth: Any, people: Any) -> None:
    """From however many addresses, in whatever case: one address gets so many mails an hour, others are free."""
    async with run_auth(registration="verified", recovery_rate_limit="2/hour") as auth:
        await auth.ready()
        victim, statuses = people.email(), []
        for number, email in enumerate((victim, victim.upper(), victim, people.email())):
            headers = {"X-Forwarded-For": f"203.0.113.{number + 1}"}
            body = {"email": email, "password": people.password}
            statuses.append((await auth.client.post(REGISTER, json=body, headers=headers)).status_code)
        assert statuses == [202, 202, 429, 202]
