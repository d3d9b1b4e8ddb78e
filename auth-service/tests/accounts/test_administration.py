"""What administrators do with the accounts of others."""

from __future__ import annotations

import asyncio
import json
import uuid
from typing import Any

import asyncpg
import pytest
import pytest_asyncio

from castor_chassis.client.transport import httpx
from castor_chassis.testing import RunningService

pytestmark = pytest.mark.asyncio(loop_scope="module")


class Office:
    """An administrator at work."""

    def __init__(self, client: httpx.AsyncClient, headers: dict[str, str]) -> None:
        self.client = client
        self.headers = headers

    async def ask(self, method: str, path: str, **more: Any) -> httpx.Response:
        """Ask with the administrator's token."""
        return await self.client.request(method, f"/v1/auth/users{path}", headers=self.headers, **more)

    async def login(self, email: str, password: str) -> int:
        """Return the status of somebody's login."""
        answer = await self.client.post("/v1/auth/login", json={"email": email, "password": password})
        return answer.status_code

    async def me(self, session: dict[str, Any]) -> int:
        """Return the status of /me with somebody's access token."""
        headers = {"Authorization": f"Bearer {session['tokens']['access_token']}"}
        return (await self.client.get("/v1/auth/me", headers=headers)).status_code

    async def refresh(self, session: dict[str, Any]) -> httpx.Response:
        """Refresh somebody's session."""
        body = {"refresh_token": session["tokens"]["refresh_token"]}
        return await self.client.post("/v1/auth/refresh", json=body)


@pytest_asyncio.fixture(loop_scope="module")
async def office(auth: RunningService, people: Any) -> Office:
    """An administrator who is logged in."""
    return Office(auth.client, await people.administrator_headers(auth.client))


async def test_accounts_are_listed_searched_and_paged(office: Office, people: Any) -> None:
    """Newest first, each once over all pages; by part of the address or name, by role, by being open."""
    mark = f"z{uuid.uuid4().hex[:10]}"
    emails = [f"{mark}.{number}@example.com" for number in range(5)]
    for email in emails:
        await people.register(office.client, email)
    seen: list[str] = []
    cursor: str | None = None
    while True:
        query = {"q": mark.upper(), "limit": 2, **({"cursor": cursor} if cursor else {})}
        answer = (await office.ask("GET", "", params=query)).json()
        seen += [item["email"] for item in answer["data"]["items"]]
        cursor = answer["meta"]["next_cursor"]
        if cursor is None:
            break
    assert seen == emails[::-1]
    for literal in ("%", "_____________", "\\"):
        found = (await office.ask("GET", "", params={"q": literal})).json()["data"]["items"]
        assert not [item for item in found if literal not in item["email"]]
    admins = (await office.ask("GET", "", params={"role": "admin", "limit": 200})).json()["data"]["items"]
    assert admins
    assert all("admin" in item["roles"] for item in admins)
    assert (await office.ask("GET", "", params={"cursor": "x"})).status_code == 422
    assert (await office.ask("GET", f"/{uuid.uuid4()}")).status_code == 404


async def test_accounts_are_listed_by_when_they_were_made(office: Office, people: Any) -> None:
    """Days and moments bound the list; a span that ends before it begins is refused."""
    email = people.email()
    user = (await people.register(office.client, email))["user"]
    for span, found in (
        ({"since": user["created_at"]}, True), ({"until": user["created_at"]}, False),
        ({"since": "2020-01-01"}, True), ({"until": "2020-01-01"}, False),
    ):  # fmt: skip
        items = (await office.ask("GET", "", params={"q": email, **span})).json()["data"]["items"]
        assert [item["email"] for item in items] == ([email] if found else []), span
    backwards = {"since": "2020-01-02", "until": "2020-01-01"}
    assert (await office.ask("GET", "", params=backwards)).status_code == 422


async def test_another_role_counts_at_once(office: Office, people: Any) -> None:
    """Sessions with the former scopes end; the next login has the new ones."""
    email = people.email()
    session = await people.register(office.client, email)
    changed = await office.ask("PUT", f"/{session['user']['id']}/roles", json={"roles": ["viewer"]})
    assert changed.json()["data"]["roles"] == ["viewer"]
    assert await office.me(session) == 401
    assert (await office.refresh(session)).status_code == 401
    again = await office.client.post("/v1/auth/login", json={"email": email, "password": people.password})
    claims = people.claims(again.json()["data"]["tokens"]["access_token"])
    assert claims["scope"] == "account:manage counts:read forecasts:read trends:read"
    assert (await office.ask("PUT", f"/{uuid.uuid4()}/roles", json={"roles": ["viewer"]})).status_code == 404
    refused = await office.ask("PUT", f"/{session['user']['id']}/roles", json={"roles": ["emperor"]})
    assert refused.status_code == 422


async def test_a_suspended_account_is_closed_until_it_is_reactivated(office: Office, people: Any) -> None:
    """Tokens, sessions and password stop working at once; afterwards the password works again."""
    email = people.email()
    session = await people.register(office.client, email)
    path = f"/{session['user']['id']}"
    suspended = await office.ask("POST", f"{path}/suspend", json={"reason": "abuse"})
    assert (suspended.json()["data"]["is_active"], suspended.json()["data"]["closed_reason"]) == (False, "abuse")
    assert await office.me(session) == 401
    assert (await office.refresh(session)).status_code == 401
    assert await office.login(email, people.password) == 401
    closed = (await office.ask("GET", "", params={"active": "false", "q": email})).json()["data"]["items"]
    assert [item["email"] for item in closed] == [email]
    assert (await office.ask("POST", f"{path}/reactivate")).json()["data"]["is_active"] is True
    assert await office.login(email, people.password) == 200


async def test_a_voided_password_is_set_by_its_owner_alone(
    mailing: RunningService, mailbox: Any, people: Any, database: asyncpg.Connection
) -> None:
    """The administrator neither chooses nor sees a password; the owner gets a token for another."""
    office = Office(mailing.client, await people.administrator_headers(mailing.client))
    email = people.email()
    await mailing.client.post("/v1/auth/register", json={"email": email, "password": people.password})
    body = {"token": await mailbox.token(email), "password": people.password}
    session = (await mailing.client.post("/v1/auth/register/confirm", json=body)).json()["data"]
    answer = await office.ask("POST", f"/{session['user']['id']}/reset-password")
    assert answer.status_code == 200
    token = await mailbox.token(email, 2)
    assert token not in answer.text
    assert await office.login(email, people.password) == 401
    reset = {"token": token, "new_password": "otra clave bien larga"}
    assert (await mailing.client.post("/v1/auth/password/reset", json=reset)).status_code == 200
    assert await office.login(email, "otra clave bien larga") == 200
    by = await database.fetchval(
        "SELECT details->>'by' FROM audit_events WHERE subject = $1 AND event = 'password_voided_by_administrator'",
        session["user"]["id"],
    )
    assert by


async def test_sessions_of_others_can_be_ended_and_factors_removed(office: Office, people: Any) -> None:
    """An administrator ends all sessions of a user, and removes the second factor of somebody who lost it."""
    session = await people.register(office.client)
    path = f"/{session['user']['id']}"
    assert (await office.ask("POST", f"{path}/end-sessions")).status_code == 200
    assert await office.me(session) == 401
    assert (await office.refresh(session)).status_code == 401
    assert (await office.ask("DELETE", f"{path}/mfa")).json()["data"] == {"done": True}


async def test_an_account_can_be_erased(office: Office, people: Any, database: asyncpg.Connection) -> None:
    """After erasure by an administrator nothing of the person is left but an id in the audit log."""
    email = people.email()
    session = await people.register(office.client, email)
    path = f"/{session['user']['id']}"
    assert (await office.ask("DELETE", path)).json()["data"] == {"done": True}
    assert (await office.ask("DELETE", path)).status_code == 404
    assert await office.me(session) == 401
    assert await database.fetchval("SELECT count(*) FROM users WHERE email = $1", email) == 0
    details = await database.fetchval(
        "SELECT details::text FROM audit_events WHERE subject = $1 AND event = 'account_erased'", session["user"]["id"]
    )
    assert json.loads(details)["by"]


async def test_only_administrators_and_no_keys_change_accounts(office: Office, people: Any) -> None:
    """A user gets 403 everywhere; an administrator's API key may read, and changes nothing."""
    session = await people.register(office.client)
    path = f"/{session['user']['id']}"
    calls: list[tuple[str, str, Any]] = [
        ("GET", "", None), ("GET", path, None), ("PUT", f"{path}/roles", {"roles": ["admin"]}),
        ("POST", f"{path}/suspend", {"reason": "x"}), ("POST", f"{path}/reactivate", None),
        ("POST", f"{path}/reset-password", None), ("POST", f"{path}/end-sessions", None),
        ("DELETE", f"{path}/mfa", None), ("DELETE", path, None),
    ]  # fmt: skip
    user = Office(office.client, {"Authorization": f"Bearer {session['tokens']['access_token']}"})
    assert {(await user.ask(method, tail, json=body)).status_code for method, tail, body in calls} == {403}
    body = {"name": "collector", "scopes": ["users:admin"], "expires_in_days": 1}
    made = await office.client.post("/v1/auth/api-keys", json=body, headers=office.headers)
    key = Office(office.client, {"Authorization": f"Bearer {made.json()['data']['key']}"})
    statuses = [(await key.ask(method, tail, json=body)).status_code for method, tail, body in calls]
    assert statuses == [200, 200, 403, 403, 403, 403, 403, 403, 403]


async def test_the_last_administrator_stays(run_auth: Any, people: Any, database: asyncpg.Connection) -> None:
    """Nobody administers himself, or closes or erases the last one; of two who demote each other at once, one stays."""
    await database.execute("UPDATE users SET roles = '{viewer}' WHERE 'admin' = ANY (roles)")
    await database.execute("DELETE FROM users WHERE email = lower($1)", people.administrator)
    await database.execute("DELETE FROM administrator_made")
    async with run_auth(registration_role="admin") as auth:
        await auth.ready()
        office = Office(auth.client, await people.administrator_headers(auth.client))
        mine = (await office.ask("GET", "", params={"role": "admin"})).json()["data"]["items"]
        assert len(mine) == 1
        path = f"/{mine[0]['id']}"
        for method, tail, body in (
            ("PUT", "/roles", {"roles": ["viewer"]}),
            ("POST", "/suspend", {"reason": "x"}),
            ("POST", "/reset-password", None),
            ("DELETE", "/mfa", None),
            ("DELETE", "", None),
        ):
            answer = await office.ask(method, path + tail, json=body)
            assert (answer.status_code, answer.json()["code"]) == (409, "own_account"), tail
        for tail in ("deactivate", "erase"):
            own = await auth.client.post(
                f"/v1/auth/me/{tail}", json={"password": people.password}, headers=office.headers
            )
            assert (own.status_code, own.json()["code"]) == (409, "last_administrator")
        other = await people.register(auth.client)
        headers = {"Authorization": f"Bearer {other['tokens']['access_token']}"}
        second = Office(auth.client, headers)
        tries = await asyncio.gather(
            office.ask("PUT", f"/{other['user']['id']}/roles", json={"roles": ["viewer"]}),
            second.ask("PUT", f"{path}/roles", json={"roles": ["viewer"]}),
        )
        assert 200 in [answer.status_code for answer in tries]
        left = await database.fetchval("SELECT count(*) FROM users WHERE 'admin' = ANY (roles) AND is_active")
        assert left == 1
