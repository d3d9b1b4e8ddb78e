"""Whose a service account is, what it may have of its owner, and that it ends with its owner."""

from __future__ import annotations

from typing import Any

import asyncpg
import pytest

from castor_chassis.testing import until

from ..passkeys.owner import somebody
from .conftest import ACCOUNTS, SCOPES, Machines

pytestmark = pytest.mark.asyncio(loop_scope="module")


@pytest.fixture
def owner(machines: Machines, people: Any) -> Any:
    """``await owner()``: the session of an administrator who owns accounts."""

    async def register(*roles: str) -> dict[str, Any]:
        session: dict[str, Any] = await people.register(machines.auth.client)
        if roles:
            await _user(machines, "PUT", session["user"]["id"], "/roles", json={"roles": roles})
        return session

    return register


async def _user(machines: Machines, method: str, user: str, path: str, **more: Any) -> None:
    answer = await machines.auth.client.request(
        method, f"/v1/auth/users/{user}{path}", headers=machines.headers, **more
    )
    assert answer.status_code == 200, answer.text


async def test_it_has_at_most_what_its_owner_has(machines: Machines, owner: Any) -> None:
    """More is refused; what the owner loses the machine loses, and its tokens end."""
    analyst = (await owner())["user"]["id"]
    body = {"name": "x", "owner_id": analyst}
    refused = await machines.ask("POST", json={**body, "scopes": ["tweets:read", "users:admin"]})
    assert (refused.status_code, refused.json()["details"]) == (403, {"scopes": "users:admin"})
    elsewhere = await machines.ask("POST", json={**body, "scopes": ["tweets:read"], "org": "nowhere"})
    assert (elsewhere.status_code, elsewhere.json()["code"]) == (404, "organisation_not_found")
    for person in ("account:manage", "keys:manage", "organisations:admin"):
        assert (await machines.ask("POST", json={**body, "scopes": [person]})).status_code == 422
    form = await machines.client(owner_id=analyst, scopes=["tweets:write", "trends:read"])
    assert (await machines.token(form)).json()["scope"] == "trends:read tweets:write"
    await _user(machines, "PUT", analyst, "/roles", json={"roles": ["viewer"]})
    assert (await machines.token(form)).json()["scope"] == "trends:read"
    lost = await machines.token(form, scope="tweets:write")
    assert (lost.status_code, lost.json()["error"]) == (400, "invalid_scope")


async def test_it_stops_with_its_owner_and_starts_again(machines: Machines, owner: Any) -> None:
    """Suspended: no tokens, and those at hand end; reactivated: tokens again; erased: it is gone."""
    admin = (await owner("admin"))["user"]["id"]
    form = await machines.client(owner_id=admin, scopes=["users:admin"])
    token = (await machines.token(form)).json()["access_token"]
    assert await machines.uses(token) == 200
    await _user(machines, "POST", admin, "/suspend", json={"reason": "left"})
    assert (await machines.token(form)).status_code == 401
    await until(lambda: _refused(machines, token))
    assert not (await machines.ask("GET", f"/{form['client_id']}")).json()["data"]["is_active"]
    await _user(machines, "POST", admin, "/reactivate")
    again = (await machines.token(form)).json()["access_token"]
    assert (await machines.uses(again), await machines.uses(token)) == (200, 401)
    await _user(machines, "DELETE", admin, "")
    await until(lambda: _refused(machines, again))
    assert (await machines.ask("GET", f"/{form['client_id']}")).status_code == 404


@pytest.mark.parametrize("remedy", ["password", "passkey"])
async def test_its_tokens_end_with_the_passkeys_of_its_owner(
    machines: Machines, people: Any, database: asyncpg.Connection, remedy: str
) -> None:
    """They were the owner's second factor, without which the owner, and so the machine, may do less."""
    person = await somebody(machines.auth, people)
    assert (await person.add()).status_code == 201
    owner_id = people.claims(person.access_token)["sub"]
    form = await machines.client(owner_id=owner_id, scopes=["tweets:read"])
    session = people.claims((await machines.token(form)).json()["access_token"])["sid"]
    if remedy == "password":
        body = {"current_password": person.password, "new_password": "otra clave bien larga", "remove_passkeys": True}
        done = await person.ask("POST", "/me/password", **body)
    else:
        (passkey,) = (await person.ask("GET", "/me/passkeys")).json()["data"]["items"]
        done = await person.ask("POST", f"/me/passkeys/{passkey['id']}/remove", password=person.password)
    assert done.status_code == 200, done.text
    ended = "SELECT count(*) FROM revocations WHERE kind = 'session' AND subject = $1"
    assert await database.fetchval(ended, session) == 1
    assert people.claims((await machines.token(form)).json()["access_token"])["sid"] != session


async def test_it_is_disabled_enabled_and_deleted(machines: Machines) -> None:
    """Disabled and deleted accounts get nothing, and their tokens end; both may be repeated."""
    form = await machines.client(scopes=["users:admin"])
    path = f"/{form['client_id']}"
    token = (await machines.token(form)).json()["access_token"]
    for _ in range(2):
        assert (await machines.ask("POST", f"{path}/disable")).json()["data"]["is_active"] is False
    assert (await machines.token(form)).status_code == 401
    await until(lambda: _refused(machines, token))
    assert (await machines.ask("POST", f"{path}/enable")).json()["data"]["is_active"] is True
    token = (await machines.token(form)).json()["access_token"]
    assert await machines.uses(token) == 200
    assert (await machines.ask("DELETE", path)).status_code == 200
    await until(lambda: _refused(machines, token))
    assert (await machines.ask("DELETE", path)).json()["code"] == "service_account_not_found"


async def _refused(machines: Machines, token: str) -> bool:
    return await machines.uses(token) == 401


async def test_other_organisations_reach_nothing_of_it(machines: Machines, people: Any, owner: Any) -> None:
    """An administrator of another one finds none of ours, makes none here, and lists their own alone."""
    client, admin = machines.auth.client, machines.headers
    await client.post("/v1/auth/organisations", json={"id": "gamma", "name": "Gamma"}, headers=admin)
    session = await owner("admin")
    user = session["user"]
    await _user(machines, "PUT", user["id"], "/organisation", json={"org": "gamma"})
    login = {"email": user["email"], "password": people.password}
    tokens = (await client.post("/v1/auth/login", json=login)).json()["data"]["tokens"]
    there = Machines(machines.auth, {"Authorization": f"Bearer {tokens['access_token']}"}, machines.trust)
    ours = await machines.account()
    for method, path in (
        ("GET", ""), ("POST", "/disable"), ("POST", "/enable"), ("DELETE", ""), ("DELETE", "/credentials/000000000000"),
    ):  # fmt: skip
        assert (await there.ask(method, f"/{ours}{path}")).status_code == 404
    assert (await there.ask("POST", f"/{ours}/credentials", json={})).status_code == 404
    assert (await there.ask("POST", json={"name": "x", "scopes": SCOPES, "org": "default"})).status_code == 404
    stranger = (await owner())["user"]["id"]
    assert (await there.ask("POST", json={"name": "x", "scopes": SCOPES, "owner_id": stranger})).status_code == 404
    theirs = await there.account()
    assert [one["id"] for one in (await there.ask("GET")).json()["data"]["items"]] == [theirs]
    claims = people.claims((await there.token(await there.client())).json()["access_token"])
    assert claims["org"] == "gamma"


async def test_only_administrators_make_them(machines: Machines, people: Any) -> None:
    """An analyst is refused."""
    analyst = await people.headers(machines.auth.client)
    body = {"name": "x", "scopes": SCOPES}
    assert (await machines.auth.client.post(ACCOUNTS, json=body, headers=analyst)).status_code == 403


async def test_credentials_are_bounded(machines: Machines) -> None:
    """Ten hold at a time; the next is refused until one is revoked."""
    account = await machines.account()
    made = [await machines.credential(account) for _ in range(10)]
    refused = await machines.ask("POST", f"/{account}/credentials", json={})
    assert (refused.status_code, refused.json()["code"]) == (409, "too_many_credentials")
    await machines.ask("DELETE", f"/{account}/credentials/{made[0]['id']}")
    await machines.credential(account)
