"""Sessions and keys that begin while the account changes."""

from __future__ import annotations

import asyncio
import base64
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any

import asyncpg
import pytest

from auth_service.mfa.totp import STEP_SECONDS, code_at
from castor_chassis.client.transport import httpx
from castor_chassis.testing import RunningService

from ..people import Person

pytestmark = pytest.mark.asyncio(loop_scope="module")
NEXT = "otra clave bien larga"
Change = Callable[[], Awaitable[httpx.Response]]


@asynccontextmanager
async def sessions_held(database: asyncpg.Connection) -> AsyncIterator[None]:
    """Keep every transaction waiting that begins or ends a session."""
    async with database.transaction():
        await database.execute("LOCK TABLE refresh_families IN SHARE MODE")
        yield


@asynccontextmanager
async def row_held(database: asyncpg.Connection, user_id: str) -> AsyncIterator[None]:
    """Keep every transaction waiting that changes this account or begins a session of it."""
    async with database.transaction():
        await database.execute("SELECT FROM users WHERE id = $1::uuid FOR UPDATE", user_id)
        yield


async def waiting(database: asyncpg.Connection, number: int) -> None:
    """Return once so many transactions wait for a lock."""
    sql = "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'"
    for _ in range(500):
        if await database.fetchval(sql) >= number:
            return
        await asyncio.sleep(0.02)
    raise AssertionError(f"fewer than {number} transactions wait")


@pytest.mark.parametrize("kind", ["password", "roles", "erasure"])
async def test_a_change_waits_for_others_before_it_revokes(
    mailing: RunningService, person: Person, people: Any, database: asyncpg.Connection, kind: str
) -> None:
    """Whoever holds a row that a change needs, and then revokes as well, ends first: no deadlock, both are done."""
    admin = await people.administrator_headers(mailing.client)
    made = await person.post("/api-keys", name="k", scopes=["trends:read"])
    assert made.status_code == 201, made.text
    account = {"name": "nightly", "scopes": ["tweets:read"], "owner_id": person.id}
    machine = (await person.client.post("/v1/auth/service-accounts", json=account, headers=admin)).json()["data"]["id"]
    path = f"/v1/auth/service-accounts/{machine}/credentials"
    assert (await person.client.post(path, json={}, headers=admin)).status_code == 201
    body = {"current_password": people.password, "new_password": NEXT, "revoke_api_keys": True}
    change, table, owner = {
        "password": (lambda: person.post("/me/password", **body), "refresh_families", "user_id = $1::uuid"),
        "roles": (await change_of("roles", person, admin), "service_account_credentials", "account_id = $1"),
        "erasure": (lambda: person.post("/me/erase", password=people.password), "api_keys", "user_id = $1::uuid"),
    }[kind]
    async with database.transaction():
        subject = machine if kind == "roles" else person.id
        await database.execute(f"SELECT FROM {table} WHERE {owner} FOR UPDATE", subject)
        changing = asyncio.ensure_future(change())
        await waiting(database, 1)
        await database.execute("UPDATE revocation_epoch SET epoch = epoch + 1")
    changed = await changing
    assert changed.status_code == 200, changed.text


async def change_of(kind: str, person: Person, admin: dict[str, str]) -> Change:
    """Return the request that changes the account."""
    if kind == "password":
        return lambda: person.post("/me/password", current_password="cuatro caballos lentos", new_password=NEXT)
    if kind == "factor":
        made = await person.post("/me/mfa/totp", password="cuatro caballos lentos")
        key = base64.b32decode(made.json()["data"]["secret"])
        return lambda: person.post("/me/mfa/totp/confirm", code=code_at(key, int(time.time()) // STEP_SECONDS))
    path = f"/v1/auth/users/{person.id}"
    if kind == "roles":
        return lambda: person.client.put(f"{path}/roles", json={"roles": ["viewer"]}, headers=admin)
    return lambda: person.client.post(f"{path}/suspend", json={"reason": "a test"}, headers=admin)


@pytest.mark.parametrize("kind", ["password", "factor", "roles", "state"])
async def test_a_login_that_races_a_change_leaves_no_session(
    mailing: RunningService, person: Person, people: Any, database: asyncpg.Connection, kind: str
) -> None:
    """A login that read the account before the change is refused, or its session ends with all others."""
    change = await change_of(kind, person, await people.administrator_headers(mailing.client))
    async with sessions_held(database):
        changing = asyncio.create_task(change())
        await waiting(database, 1)
        entering = asyncio.create_task(person.log_in(people.password))
        await waiting(database, 2)
    changed, entered = await changing, await entering
    assert changed.status_code == 200, changed.text
    if entered.status_code == 200:
        person.tokens = entered.json()["data"]["tokens"]
        assert await person.refresh() == 401
    else:
        assert (entered.status_code, entered.json()["code"]) == (401, "account_changed")


async def test_a_key_that_is_made_while_sessions_end_is_refused(
    person: Person, people: Any, database: asyncpg.Connection
) -> None:
    """A session that ends cannot leave an API key behind."""
    async with row_held(database, person.id):
        changing = asyncio.create_task(person.post("/me/password", current_password=people.password, new_password=NEXT))
        await waiting(database, 1)
        making = asyncio.create_task(person.post("/api-keys", name="k", scopes=["trends:read"]))
        await waiting(database, 2)
    assert (await changing).status_code == 200
    made = await making
    in_force = await database.fetchval("SELECT count(*) FROM api_keys WHERE user_id = $1::uuid", person.id)
    assert (made.status_code, in_force) == (401, 0)


async def test_scopes_that_ask_for_a_second_factor_ask_the_session(
    run_auth: Any, people: Any, database: asyncpg.Connection
) -> None:
    """A session that began with the password alone gets no such scope although the account has a second factor."""
    async with run_auth(mfa_required_roles="analyst") as auth:
        await auth.ready()
        session = await people.register(auth.client)
        sql = "UPDATE users SET totp_sealed = '\\x00', totp_confirmed_at = now() WHERE id = $1::uuid"
        await database.execute(sql, session["user"]["id"])
        body = {"refresh_token": session["tokens"]["refresh_token"]}
        answer = await auth.client.post("/v1/auth/refresh", json=body)
        claims = people.claims(answer.json()["data"]["tokens"]["access_token"])
        assert (claims["amr"], claims["scope"]) == (["pwd"], "account:manage")


async def test_a_pending_key_of_an_app_is_void_after_a_change(person: Person, people: Any) -> None:
    """Whoever knew the old password cannot confirm a key that was made with it."""
    made = await person.post("/me/mfa/totp", password=people.password)
    key = base64.b32decode(made.json()["data"]["secret"])
    changed = await person.post("/me/password", current_password=people.password, new_password=NEXT)
    person.tokens = changed.json()["data"]["tokens"]
    answer = await person.post("/me/mfa/totp/confirm", code=code_at(key, int(time.time()) // STEP_SECONDS))
    assert (answer.status_code, answer.json()["code"]) == (409, "mfa_conflict")
