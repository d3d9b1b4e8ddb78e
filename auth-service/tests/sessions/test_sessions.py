"""Sessions: refresh, reuse, logout."""

from __future__ import annotations

import asyncio
from typing import Any

import asyncpg
import pytest

from castor_chassis.client.transport import httpx
from castor_chassis.testing import RunningService

pytestmark = pytest.mark.asyncio(loop_scope="module")


async def _refresh(client: httpx.AsyncClient, token: str, agent: str = "laptop") -> httpx.Response:
    body = {"refresh_token": token}
    return await client.post("/v1/auth/refresh", json=body, headers={"User-Agent": agent})


def _next(answer: httpx.Response) -> str:
    assert answer.status_code == 200, answer.text
    return str(answer.json()["data"]["tokens"]["refresh_token"])


async def test_refresh_rotates(auth: RunningService, people: Any) -> None:
    """Each refresh gives a working access token and another refresh token, which works in turn."""
    session = await people.register(auth.client)
    token = session["tokens"]["refresh_token"]
    seen = {token}
    for _ in range(3):
        answer = await _refresh(auth.client, token)
        token = _next(answer)
        access = answer.json()["data"]["tokens"]["access_token"]
        me = await auth.client.get("/v1/auth/me", headers={"Authorization": f"Bearer {access}"})
        assert me.json()["data"]["id"] == session["user"]["id"]
        seen.add(token)
    assert len(seen) == 4
    assert all(len(each) == 43 for each in seen)


async def test_repeated_refresh_of_the_same_client_gets_the_same_successor(auth: RunningService, people: Any) -> None:
    """A lost answer does not end a session: within the window the client gets what it would have got."""
    token = (await people.register(auth.client))["tokens"]["refresh_token"]
    first, second = _next(await _refresh(auth.client, token)), _next(await _refresh(auth.client, token))
    assert first == second
    assert _next(await _refresh(auth.client, first)) != first


async def test_200_simultaneous_refreshes_have_one_successor_and_a_true_replay_ends_them(
    run_auth: Any, people: Any, database: asyncpg.Connection
) -> None:
    """All 200 get the same token, one successor is stored, the session lives; a replay by another then kills it."""
    # A slow machine answers all of them in more than the usual ten seconds.
    async with run_auth(refresh_replay_seconds=60) as auth:
        await auth.ready()
        session = await people.register(auth.client)
        token = session["tokens"]["refresh_token"]
        answers = await asyncio.gather(*(_refresh(auth.client, token) for _ in range(200)))
        assert [answer.status_code for answer in answers] == [200] * 200
        (successor,) = {_next(answer) for answer in answers}
        stored = await database.fetchval(
            "SELECT count(*) FROM refresh_tokens JOIN refresh_families f ON f.id = family_id "
            "WHERE f.user_id = $1::uuid",
            session["user"]["id"],
        )
        assert stored == 2
        following = _next(await _refresh(auth.client, successor))
        assert (await _refresh(auth.client, token, agent="thief")).status_code == 401
        assert (await _refresh(auth.client, following)).status_code == 401


async def test_without_a_window_one_of_many_wins_and_the_family_dies(run_auth: Any, people: Any) -> None:
    """A token is used once: of ten at once one succeeds, and its successor is dead as well."""
    async with run_auth(refresh_replay_seconds=0) as auth:
        await auth.ready()
        token = (await people.register(auth.client))["tokens"]["refresh_token"]
        answers = await asyncio.gather(*(_refresh(auth.client, token) for _ in range(10)))
        won = [answer for answer in answers if answer.status_code == 200]
        assert len(won) == 1
        assert (await _refresh(auth.client, _next(won[0]))).status_code == 401


async def test_reuse_by_another_client_ends_the_family_and_is_audited(
    auth: RunningService, people: Any, database: asyncpg.Connection
) -> None:
    """A stolen token that was used already gets nothing, takes the session with it, and leaves a trace."""
    session = await people.register(auth.client)
    token = session["tokens"]["refresh_token"]
    successor = _next(await _refresh(auth.client, token))
    stolen = await _refresh(auth.client, token, agent="thief")
    assert (stolen.status_code, stolen.json()["code"]) == (401, "invalid_refresh_token")
    assert (await _refresh(auth.client, successor)).status_code == 401
    assert (await _refresh(auth.client, token)).status_code == 401
    sql = "SELECT event FROM audit_events WHERE subject = $1 ORDER BY id"
    events = await database.fetch(sql, session["user"]["id"])
    assert [row["event"] for row in events] == ["register", "refresh_reuse"]


async def test_reuse_after_the_window_ends_the_family(
    auth: RunningService, people: Any, database: asyncpg.Connection
) -> None:
    """The same client, too late, is treated as a thief."""
    token = (await people.register(auth.client))["tokens"]["refresh_token"]
    successor = _next(await _refresh(auth.client, token))
    await database.execute("UPDATE refresh_tokens SET used_at = used_at - interval '11 s' WHERE used_at IS NOT NULL")
    assert (await _refresh(auth.client, token)).status_code == 401
    assert (await _refresh(auth.client, successor)).status_code == 401


async def test_the_end_of_one_session_spares_the_others(auth: RunningService, people: Any) -> None:
    """Logout ends the session of its token alone, and may be repeated."""
    email = people.email()
    phone = (await people.register(auth.client, email))["tokens"]["refresh_token"]
    login = await auth.client.post("/v1/auth/login", json={"email": email, "password": people.password})
    laptop = login.json()["data"]["tokens"]["refresh_token"]
    for _ in range(2):
        out = await auth.client.post("/v1/auth/logout", json={"refresh_token": phone})
        assert (out.status_code, out.json()["data"]) == (200, {"logged_out": True})
    assert (await _refresh(auth.client, phone)).status_code == 401
    assert (await _refresh(auth.client, laptop)).status_code == 200


async def test_tokens_end_when_idle_and_with_their_family(
    auth: RunningService, people: Any, database: asyncpg.Connection
) -> None:
    """A refresh token past its idle time is dead, and so is a fresh one of a family past its longest time."""
    for table in ("refresh_tokens", "refresh_families"):
        token = (await people.register(auth.client))["tokens"]["refresh_token"]
        await database.execute(f"UPDATE {table} SET expires_at = now() - interval '1 s'")
        assert (await _refresh(auth.client, token)).status_code == 401


async def test_a_successor_never_outlives_its_family(run_auth: Any, people: Any, database: asyncpg.Connection) -> None:
    """The idle time is cut at the end of the session."""
    async with run_auth(refresh_idle_days=7, session_max_days=1) as auth:
        await auth.ready()
        session = await people.register(auth.client)
        _next(await _refresh(auth.client, session["tokens"]["refresh_token"]))
    ends = await database.fetch(
        "SELECT t.expires_at = f.expires_at AS together FROM refresh_tokens t "
        "JOIN refresh_families f ON f.id = t.family_id WHERE f.user_id = $1::uuid",
        session["user"]["id"],
    )
    assert [row["together"] for row in ends] == [True, True]


async def test_neither_tokens_nor_passwords_are_stored_in_clear(
    auth: RunningService, people: Any, database: asyncpg.Connection
) -> None:
    """Whoever reads the whole database finds no refresh token and no password."""
    session = await people.register(auth.client)
    token = session["tokens"]["refresh_token"]
    found = ""
    for table in ("users", "refresh_tokens", "refresh_families", "audit_events"):
        rows = await database.fetch(f"SELECT to_jsonb(t)::text AS text FROM {table} t")
        found += "".join(row["text"] for row in rows)
    assert session["user"]["id"] in found
    assert token not in found
    assert token.encode().hex() not in found
    assert people.password not in found


async def test_an_access_token_does_not_refresh(auth: RunningService, people: Any) -> None:
    """Tokens are not interchangeable: access as refresh, and refresh as access, are refused."""
    tokens = (await people.register(auth.client))["tokens"]
    assert (await _refresh(auth.client, tokens["access_token"][:512])).status_code == 401
    me = await auth.client.get("/v1/auth/me", headers={"Authorization": f"Bearer {tokens['refresh_token']}"})
    assert me.status_code == 401


async def test_sessions_are_listed_and_ended_by_their_owner(auth: RunningService, people: Any) -> None:
    """The list names each device and which one asks; one can be ended, or all others; nobody ends a stranger's."""
    email = people.email()
    await people.register(auth.client, email)
    body = {"email": email, "password": people.password}
    phone = (await auth.client.post("/v1/auth/login", json=body, headers={"User-Agent": "phone"})).json()["data"]
    laptop = (await auth.client.post("/v1/auth/login", json=body, headers={"User-Agent": "laptop"})).json()["data"]
    headers = {"Authorization": f"Bearer {laptop['tokens']['access_token']}"}
    listed = (await auth.client.get("/v1/auth/sessions", headers=headers)).json()["data"]["items"]
    assert [item["user_agent"] for item in listed][:2] == ["laptop", "phone"]
    assert [item["current"] for item in listed] == [True, False, False]
    stranger = await people.headers(auth.client)
    for who, status in ((stranger, 404), (headers, 200), (headers, 404)):
        ended = await auth.client.delete(f"/v1/auth/sessions/{listed[1]['id']}", headers=who)
        assert ended.status_code == status
    assert (await _refresh(auth.client, phone["tokens"]["refresh_token"])).status_code == 401
    rest = await auth.client.delete("/v1/auth/sessions?keep_current=true", headers=headers)
    assert rest.json()["data"] == {"ended": 1}
    assert (await auth.client.get("/v1/auth/me", headers=headers)).status_code == 200
    assert (await auth.client.delete("/v1/auth/sessions", headers=headers)).json()["data"] == {"ended": 1}
    assert (await auth.client.get("/v1/auth/me", headers=headers)).status_code == 401
    assert (await auth.client.get("/v1/auth/me", headers=stranger)).status_code == 200


async def test_old_sessions_are_forgotten(auth: RunningService, people: Any, database: asyncpg.Connection) -> None:
    """A week after their end of life the sweep deletes sessions with their tokens, and no account."""
    user_id = (await people.register(auth.client))["user"]["id"]
    await database.execute("UPDATE refresh_families SET expires_at = now() - interval '8 days'")
    await auth.app.state.resources.sessions.delete_expired()
    left = await database.fetchval("SELECT count(*) FROM refresh_tokens")
    assert left == 0
    assert await database.fetchval("SELECT count(*) FROM users WHERE id = $1::uuid", user_id) == 1


async def test_who_ends_nothing_revokes_nothing(
    auth: RunningService, people: Any, database: asyncpg.Connection
) -> None:
    """Every service acts on a revocation, so asking for it again and again causes none where no session ends."""
    headers = await people.headers(auth.client)
    account = people.claims(headers["Authorization"])["sub"]
    for _ in range(3):
        answer = await auth.client.delete("/v1/auth/sessions?keep_current=true", headers=headers)
        assert answer.json()["data"] == {"ended": 0}
    assert await database.fetchval("SELECT count(*) FROM revocations WHERE subject = $1", account) == 0
