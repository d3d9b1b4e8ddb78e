"""API keys: made, used, rotated, revoked."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import asyncpg
import pytest

from auth_service.credentials import api_key_repository
from castor_chassis import Postgres
from castor_chassis.client.transport import httpx
from castor_chassis.testing import RunningService

pytestmark = pytest.mark.asyncio(loop_scope="module")
URL = "/v1/auth/api-keys"


async def _create(client: httpx.AsyncClient, headers: dict[str, str], **changed: Any) -> httpx.Response:
    body = {"name": "nightly export", "scopes": ["tweets:read"], "expires_in_days": 30, **changed}
    return await client.post(URL, json=body, headers=headers)


async def _verify(client: httpx.AsyncClient, key: str) -> dict[str, Any]:
    answer = await client.post("/internal/api-keys/verify", json={"key": key})
    assert answer.status_code == 200
    data: dict[str, Any] = answer.json()["data"]
    return data


async def test_key_is_shown_once_and_works(auth_for_services: RunningService, people: Any) -> None:
    """The answer of creation has the key; the list has not; verification says whose it is and what it may do."""
    client = auth_for_services.client
    session = await people.register(client)
    headers = {"Authorization": f"Bearer {session['tokens']['access_token']}"}
    created = await _create(client, headers, scopes=["tweets:read", "trends:read"])
    assert (created.status_code, created.headers["cache-control"]) == (201, "no-store")
    key = created.json()["data"]["key"]
    assert key.startswith(f"castor_{created.json()['data']['id']}_")
    listed = (await client.get(URL, headers=headers)).json()["data"]["items"]
    assert [(item["name"], item["last_used_at"]) for item in listed] == [("nightly export", None)]
    assert key not in str(listed)
    assert await _verify(client, key) == {
        "valid": True,
        "user_id": session["user"]["id"],
        "scopes": ["trends:read", "tweets:read"],
        "roles": ["analyst"],
        "org": "default",
    }
    used = (await client.get(URL, headers=headers)).json()["data"]["items"][0]
    assert used["last_used_at"] is not None


async def test_revoked_key_is_dead(auth_for_services: RunningService, people: Any) -> None:
    """After DELETE the key verifies no more, is not listed, and cannot be revoked again."""
    client = auth_for_services.client
    headers = await people.headers(client)
    created = (await _create(client, headers)).json()["data"]
    assert (await client.delete(f"{URL}/{created['id']}", headers=headers)).status_code == 200
    assert (await _verify(client, created["key"]))["valid"] is False
    assert (await client.get(URL, headers=headers)).json()["data"]["items"] == []
    again = await client.delete(f"{URL}/{created['id']}", headers=headers)
    assert (again.status_code, again.json()["code"]) == (404, "api_key_not_found")


async def test_nobody_revokes_or_sees_the_key_of_another(auth_for_services: RunningService, people: Any) -> None:
    """Keys belong to their owner: for others they do not exist."""
    client = auth_for_services.client
    owner, other = await people.headers(client), await people.headers(client)
    created = (await _create(client, owner)).json()["data"]
    assert (await client.delete(f"{URL}/{created['id']}", headers=other)).status_code == 404
    assert (await client.get(URL, headers=other)).json()["data"]["items"] == []
    assert (await _verify(client, created["key"]))["valid"] is True


async def test_key_has_at_most_what_its_owner_has(
    auth_for_services: RunningService, people: Any, database: asyncpg.Connection
) -> None:
    """A scope that one lacks is refused; one that the owner lost is lost to the key."""
    client = auth_for_services.client
    session = await people.register(client)
    headers = {"Authorization": f"Bearer {session['tokens']['access_token']}"}
    refused = await _create(client, headers, scopes=["tweets:read", "users:admin"])
    assert (refused.status_code, refused.json()["details"]) == (403, {"scopes": "users:admin"})
    key = (await _create(client, headers, scopes=["tweets:write", "trends:read"])).json()["data"]["key"]
    await database.execute("UPDATE users SET roles = '{viewer}' WHERE id = $1::uuid", session["user"]["id"])
    assert (await _verify(client, key))["scopes"] == ["trends:read"]
    await database.execute("UPDATE users SET is_active = false WHERE id = $1::uuid", session["user"]["id"])
    assert (await _verify(client, key))["valid"] is False


async def test_expired_key_is_dead(
    auth_for_services: RunningService, people: Any, database: asyncpg.Connection
) -> None:
    """A key ends when it said it would."""
    client = auth_for_services.client
    created = (await _create(client, await people.headers(client))).json()["data"]
    await database.execute("UPDATE api_keys SET expires_at = now() WHERE id = $1", created["id"])
    assert (await _verify(client, created["key"]))["valid"] is False


@pytest.mark.parametrize("mangle", [lambda key: key[:-1] + ("A" if key[-1] != "A" else "B"), lambda key: key + "A",
                                    lambda key: key[:23], lambda _key: "", lambda _key: "castor__\x00"])  # fmt: skip
async def test_wrong_keys_do_not_verify(auth_for_services: RunningService, people: Any, mangle: Any) -> None:
    """A key with another secret, too long, too short, or no key at all is answered with valid: false."""
    client = auth_for_services.client
    key = (await _create(client, await people.headers(client))).json()["data"]["key"]
    assert (await _verify(client, mangle(key)))["valid"] is False


async def test_a_key_cannot_make_keys(auth_for_services: RunningService, people: Any) -> None:
    """Even with keys:manage, managing keys takes the user in person, so that a leaked key does not multiply."""
    client = auth_for_services.client
    headers = await people.headers(client)
    key = (await _create(client, headers, scopes=["keys:manage"])).json()["data"]["key"]
    answer = await _create(client, {"Authorization": f"Bearer {key}"})
    assert answer.status_code == 403
    assert "log in" in answer.json()["error"]


async def test_keys_per_user_are_bounded(run_auth: Any, people: Any) -> None:
    """The key above the limit is refused until one is revoked."""
    async with run_auth(max_api_keys=2) as auth:
        await auth.ready()
        headers = await people.headers(auth.client)
        answers = [await _create(auth.client, headers) for _ in range(3)]
        assert [answer.status_code for answer in answers] == [201, 201, 409]
        await auth.client.delete(f"{URL}/{answers[0].json()['data']['id']}", headers=headers)
        assert (await _create(auth.client, headers)).status_code == 201


async def test_creation_and_revocation_are_audited(
    auth: RunningService, people: Any, database: asyncpg.Connection
) -> None:
    """Both leave an event that names the key and not its secret."""
    session = await people.register(auth.client)
    headers = {"Authorization": f"Bearer {session['tokens']['access_token']}"}
    created = (await _create(auth.client, headers)).json()["data"]
    await auth.client.delete(f"{URL}/{created['id']}", headers=headers)
    rows = await database.fetch(
        "SELECT event, details::text AS details FROM audit_events WHERE subject = $1 AND event LIKE 'api_key%' "
        "ORDER BY id",
        session["user"]["id"],
    )
    assert [row["event"] for row in rows] == ["api_key_created", "api_key_revoked"]
    assert all(created["id"] in row["details"] and created["key"] not in row["details"] for row in rows)


async def test_rotated_api_key_has_a_grace_period(
    auth_for_services: RunningService, people: Any, database: asyncpg.Connection
) -> None:
    """Both secrets hold during the grace period, the new one alone after it; with none the old one ends at once."""
    client = auth_for_services.client
    headers = await people.headers(client)
    body = {"name": "script", "scopes": ["tweets:read"]}
    made = (await client.post("/v1/auth/api-keys", json=body, headers=headers)).json()["data"]

    async def rotated(**options: int) -> str:
        path = f"/v1/auth/api-keys/{made['id']}/rotate"
        answer = await client.post(path, json=options, headers=headers)
        assert (answer.status_code, answer.json()["data"]["id"]) == (200, made["id"])
        return str(answer.json()["data"]["key"])

    async def holds(key: str) -> bool:
        return bool((await client.post("/internal/api-keys/verify", json={"key": key})).json()["data"]["valid"])

    second = await rotated()
    assert (await holds(made["key"]), await holds(second)) == (True, True)
    await database.execute("UPDATE api_keys SET previous_until = now() WHERE id = $1", made["id"])
    assert (await holds(made["key"]), await holds(second)) == (False, True)
    third = await rotated(grace_seconds=0)
    assert (await holds(second), await holds(third)) == (False, True)
    stranger = await people.headers(client)
    foreign = await client.post(f"/v1/auth/api-keys/{made['id']}/rotate", json={}, headers=stranger)
    assert (foreign.status_code, foreign.json()["code"]) == (404, "api_key_not_found")


@pytest.mark.parametrize("role", ["analyst", "none"])
async def test_a_passkey_is_a_second_factor_of_whoever_must_have_one(
    run_auth: Any, people: Any, database: asyncpg.Connection, role: str
) -> None:
    """Where a role needs two factors, keys of those without a second one have no scopes; a passkey alone is one."""
    async with run_auth("twitter-service") as auth:
        await auth.ready()
        session = await people.register(auth.client)
        headers = {"Authorization": f"Bearer {session['tokens']['access_token']}"}
        key = (await _create(auth.client, headers)).json()["data"]["key"]
    async with run_auth("twitter-service", mfa_required_roles=role) as auth:
        await auth.ready()
        without = await _verify(auth.client, key)
        await database.execute(
            "INSERT INTO passkeys (id, user_id, name, public_key, sign_count) VALUES ($1, $2, 'k', $1, 0)",
            session["user"]["id"].encode(), session["user"]["id"],
        )  # fmt: skip
        assert (await _verify(auth.client, key))["scopes"] == ["tweets:read"]
    assert without["scopes"] == ([] if role == "analyst" else ["tweets:read"])


async def test_keys_that_ended_long_ago_are_deleted(
    auth_for_services: RunningService, people: Any, database: asyncpg.Connection, postgres_url: str
) -> None:
    """Whether they expired or were revoked; more than a batch; those of lately, and those in force, stay."""
    user_id = (await people.register(auth_for_services.client))["user"]["id"]
    rows = [("expired", -100, None), ("revoked", 100, -100), ("lately", 100, -1), ("kept", 100, None)]
    await database.executemany(
        "INSERT INTO api_keys (id, user_id, name, secret_hash, scopes, expires_at, revoked_at) "
        "SELECT $1 || n, $2, 'k', '', '{}', now() + $3 * interval '1 day', now() + $4 * interval '1 day' "
        "FROM generate_series(1, 700) n",
        [(name, user_id, expires, revoked) for name, expires, revoked in rows],
    )
    postgres = Postgres(postgres_url)
    await postgres.open()
    await api_key_repository.delete_ended(postgres, timedelta(days=90))
    await postgres.close()
    left = await database.fetch(
        "SELECT DISTINCT rtrim(id, '0123456789') AS id FROM api_keys WHERE user_id = $1", user_id
    )
    assert {row["id"] for row in left} == {"lately", "kept"}
