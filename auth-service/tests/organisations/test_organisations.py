"""What an administrator of one organisation can reach of another: nothing."""

from __future__ import annotations

import json
import uuid
from dataclasses import dataclass
from typing import Any

import asyncpg
import pytest
import pytest_asyncio

from castor_chassis.client.transport import httpx
from castor_chassis.testing import RunningService

pytestmark = pytest.mark.asyncio(loop_scope="module")


@dataclass
class Somebody:
    """An account and the header of its session."""

    client: httpx.AsyncClient
    id: str
    email: str
    headers: dict[str, str]

    async def ask(self, method: str, path: str, **more: Any) -> httpx.Response:
        """Ask auth-service."""
        return await self.client.request(method, f"/v1/auth{path}", headers=self.headers, **more)


@pytest_asyncio.fixture(loop_scope="module")
async def platform(auth: RunningService, people: Any) -> Somebody:
    """The administrator of the default organisation, which has two others beside it."""
    headers = await people.administrator_headers(auth.client)
    me = (await auth.client.get("/v1/auth/me", headers=headers)).json()["data"]
    found = Somebody(auth.client, me["id"], me["email"], headers)
    for org in ("alpha", "beta"):
        made = await found.ask("POST", "/organisations", json={"id": org, "name": org.title()})
        assert made.status_code in (201, 409), made.text
    return found


async def member(platform: Somebody, people: Any, org: str, *roles: str) -> Somebody:
    """Return somebody of an organisation, logged in."""
    session = await people.register(platform.client)
    user = session["user"]
    assert (await platform.ask("PUT", f"/users/{user['id']}/organisation", json={"org": org})).status_code == 200
    if roles:
        assert (await platform.ask("PUT", f"/users/{user['id']}/roles", json={"roles": roles})).status_code == 200
    body = {"email": user["email"], "password": people.password}
    opened = (await platform.client.post("/v1/auth/login", json=body)).json()["data"]
    headers = {"Authorization": f"Bearer {opened['tokens']['access_token']}"}
    return Somebody(platform.client, user["id"], user["email"], headers)


async def test_tokens_say_the_organisation(platform: Somebody, people: Any) -> None:
    """The default one on registration; another after a move, which ends the sessions of before."""
    session = await people.register(platform.client)
    assert session["user"]["org"] == "default"
    bearer = {"Authorization": f"Bearer {session['tokens']['access_token']}"}
    moved = await platform.ask("PUT", f"/users/{session['user']['id']}/organisation", json={"org": "alpha"})
    assert moved.json()["data"]["org"] == "alpha"
    assert (await platform.client.get("/v1/auth/me", headers=bearer)).status_code == 401
    ana = await member(platform, people, "beta")
    assert people.claims(ana.headers["Authorization"].split()[1])["org"] == "beta"


TRIES = [
    ("GET", "", {}),
    ("PUT", "/roles", {"json": {"roles": ["admin"]}}),
    ("POST", "/suspend", {"json": {"reason": "x"}}),
    ("POST", "/reactivate", {}),
    ("POST", "/reset-password", {}),
    ("POST", "/end-sessions", {}),
    ("DELETE", "/mfa", {}),
    ("DELETE", "", {}),
]


async def test_another_organisations_accounts_are_not_there(
    platform: Somebody, people: Any, database: asyncpg.Connection
) -> None:
    """Every path answers as for an id that nobody has, and nothing changes; neither are the platform's own."""
    boss = await member(platform, people, "alpha", "admin")
    other = await member(platform, people, "beta")
    state = "SELECT u::text FROM users u WHERE id = $1::text::uuid"
    before = [await database.fetchval(state, one.id) for one in (other, platform)]
    for target in (other, platform):
        for method, path, body in TRIES:
            answer = await boss.ask(method, f"/users/{target.id}{path}", **body)
            assert (answer.status_code, answer.json()["code"]) == (404, "user_not_found"), (method, path)
    assert [await database.fetchval(state, one.id) for one in (other, platform)] == before
    assert (await other.ask("GET", "/me")).status_code == 200


async def test_ones_own_organisation_is_managed(platform: Somebody, people: Any) -> None:
    """An administrator lists and changes those of the same organisation, and sees no other in the list."""
    boss, mine = await member(platform, people, "alpha", "admin"), await member(platform, people, "alpha")
    other = await member(platform, people, "beta")
    listed = (await boss.ask("GET", "/users", params={"limit": 200})).json()["data"]["items"]
    assert {one["org"] for one in listed} == {"alpha"}
    assert {boss.id, mine.id} <= {one["id"] for one in listed}
    searched = (await boss.ask("GET", "/users", params={"q": other.email})).json()["data"]["items"]
    assert searched == []
    ended = await boss.ask("POST", f"/users/{mine.id}/end-sessions")
    assert ended.status_code == 200
    assert (await mine.ask("GET", "/me")).status_code == 401


async def test_the_audit_log_shows_ones_own_organisation(platform: Somebody, people: Any) -> None:
    """Events about accounts of another are not exported, not even by their subject; nor with an API key."""
    boss, other = await member(platform, people, "alpha", "admin"), await member(platform, people, "beta")
    key = await boss.ask("POST", "/api-keys", json={"name": "audit", "scopes": ["users:admin"], "expires_in_days": 1})
    by_key = Somebody(boss.client, "", "", {"Authorization": f"Bearer {key.json()['data']['key']}"})
    for reader in (boss, by_key):
        mine = await reader.ask("GET", "/audit", params={"subject": boss.id})
        assert {json.loads(line)["subject"] for line in mine.text.splitlines()} == {boss.id}
        assert (await reader.ask("GET", "/audit", params={"subject": other.id})).text == ""
    assert (await platform.ask("GET", "/audit", params={"subject": other.id})).text != ""


@pytest.mark.parametrize(
    ("method", "path"),
    [("GET", "/organisations"), ("GET", "/clients"), ("GET", "/oidc/clients"), ("PUT", "/users/{id}/organisation")],
)
async def test_what_belongs_to_the_platform_is_closed(platform: Somebody, people: Any, method: str, path: str) -> None:
    """Organisations, frontends and service clients are for the default organisation's administrators only."""
    boss, mine = await member(platform, people, "alpha", "admin"), await member(platform, people, "alpha")
    body = {"json": {"org": "beta"}} if method == "PUT" else {}
    answer = await boss.ask(method, path.format(id=mine.id), **body)
    assert (answer.status_code, answer.json()["code"]) == (403, "forbidden")
    if method == "GET":
        assert (await platform.ask(method, path)).status_code == 200


async def test_the_platform_keeps_an_administrator(platform: Somebody, people: Any) -> None:
    """An administrator of another organisation is no reason to let the last of the default one go."""
    await member(platform, people, "alpha", "admin")
    closed = await platform.ask("POST", "/me/deactivate", json={"password": people.password})
    assert (closed.status_code, closed.json()["code"]) == (409, "last_administrator")


async def test_accounts_move_to_organisations_that_there_are(platform: Somebody, people: Any) -> None:
    """Not to one that nobody made, and nobody moves the own account."""
    session = await people.register(platform.client)
    path, own = f"/users/{session['user']['id']}/organisation", f"/users/{platform.id}/organisation"
    missing = await platform.ask("PUT", path, json={"org": "gamma"})
    assert (missing.status_code, missing.json()["code"]) == (404, "organisation_not_found")
    assert (await platform.ask("PUT", own, json={"org": "alpha"})).json()["code"] == "own_account"
    again = await platform.ask("POST", "/organisations", json={"id": "alpha", "name": "x"})
    assert (again.status_code, again.json()["code"]) == (409, "organisation_exists")


async def test_an_organisation_is_made_once_and_lists_have_pages(platform: Somebody) -> None:
    """An Idempotency-Key makes the second request the first; pages joined are the whole; names are composed."""
    once = {**platform.headers, "Idempotency-Key": str(uuid.uuid4())}
    body = {"id": "gamma", "name": "Asociacio\u0301n"}
    made = [await platform.client.post("/v1/auth/organisations", json=body, headers=once) for _ in range(2)]
    assert [each.status_code for each in made] == [201, 201]
    assert (await platform.ask("POST", "/organisations", json=body)).status_code == 409
    whole = (await platform.ask("GET", "/organisations")).json()["data"]["items"]
    assert next(one["name"] for one in whole if one["id"] == "gamma") == "Asociación"
    seen: list[str] = []
    asked: dict[str, str] = {"limit": "1"}
    while len(seen) < len(whole):
        answer = (await platform.ask("GET", "/organisations", params=asked)).json()
        seen += [one["id"] for one in answer["data"]["items"]]
        asked["cursor"] = answer["meta"]["next_cursor"]
    assert (seen, asked["cursor"]) == ([one["id"] for one in whole], None)


async def test_a_secret_is_answered_again_to_whoever_has_the_key(platform: Somebody) -> None:
    """A client that is made again has the same secret; the answer may not be kept on the way."""
    once = {**platform.headers, "Idempotency-Key": str(uuid.uuid4())}
    body = {"service": "rag-service"}
    first, again = [await platform.client.post("/v1/auth/clients", json=body, headers=once) for _ in range(2)]
    assert first.status_code == 201, first.text
    assert again.json() == first.json()
    assert (again.headers["cache-control"], again.headers["idempotency-replayed"]) == ("no-store", "true")
