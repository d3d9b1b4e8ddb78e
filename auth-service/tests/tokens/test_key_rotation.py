"""Rotation of signing keys, API keys and client secrets."""

from __future__ import annotations

import asyncio
import base64
import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import asyncpg
import pytest
from jose import jws

from castor_chassis.client.transport import httpx
from castor_chassis.testing import Authority, RunningService

pytestmark = pytest.mark.asyncio(loop_scope="module")
FORM = {"grant_type": "client_credentials", "audience": "sentiment-service"}


async def rotate_keys(postgres_url: str, *arguments: str) -> tuple[int, dict[str, Any]]:
    """Run the command as an operator does."""
    secret = "a key encryption secret for tests only"
    environment = {**os.environ, "DATABASE_URL": postgres_url, "KEY_ENCRYPTION_SECRET": secret}
    command = [sys.executable, "-m", "auth_service", "rotate-keys", *arguments]
    done = await asyncio.to_thread(
        subprocess.run, command, capture_output=True, text=True, env=environment, check=False, timeout=100
    )
    lines = done.stdout.splitlines()
    return done.returncode, json.loads(lines[-1]) if lines else {"stderr": done.stderr}


async def kids(auth: RunningService) -> list[str]:
    """Return the published keys."""
    return [key["kid"] for key in (await auth.client.get("/v1/auth/jwks")).json()["keys"]]


def kid_of(session: dict[str, Any]) -> str:
    """Return the key that signed an access token."""
    return str(jws.get_unverified_header(session["tokens"]["access_token"])["kid"])


async def until_published(auth: RunningService, kid: str) -> None:
    """Wait until a replica has noticed."""
    async with asyncio.timeout(60):
        while kid not in await kids(auth):
            await asyncio.sleep(0.05)


async def me(auth: RunningService, session: dict[str, Any]) -> int:
    """Use an access token."""
    headers = {"Authorization": f"Bearer {session['tokens']['access_token']}"}
    return (await auth.client.get("/v1/auth/me", headers=headers)).status_code


async def test_next_key_is_published_before_it_signs(
    run_auth: Any, people: Any, postgres_url: str, database: asyncpg.Connection
) -> None:
    """After the command both keys are published and the old one signs; later the new one does, and old tokens hold."""
    async with run_auth(keys_refresh_seconds=0.1) as auth:
        await auth.ready()
        before = await people.register(auth.client)
        old = kid_of(before)
        status, report = await rotate_keys(postgres_url)
        assert (status, report["signs_in_seconds"]) == (0, 3600)
        await until_published(auth, report["kid"])
        assert set(await kids(auth)) == {old, report["kid"]}
        assert kid_of(await people.register(auth.client)) == old
        # Asked again while one waits, the command makes no third key.
        assert (await rotate_keys(postgres_url))[1]["kid"] == report["kid"]
        await database.execute("UPDATE signing_keys SET activated_at = now() WHERE kid = $1", report["kid"])
        async with asyncio.timeout(60):
            while kid_of(await people.register(auth.client)) != report["kid"]:
                await asyncio.sleep(0.05)
        assert await me(auth, before) == 200
        await database.execute("UPDATE signing_keys SET retired_at = now() WHERE kid = $1", old)
        async with asyncio.timeout(60):
            while old in await kids(auth):
                await asyncio.sleep(0.05)
    left = await database.fetchval("SELECT retired_at IS NOT NULL FROM signing_keys WHERE kid = $1", old)
    assert left is True


async def test_former_key_verifies_until_its_last_token_has_expired(
    run_auth: Any, postgres_url: str, database: asyncpg.Connection
) -> None:
    """The old key retires when the new one has signed for longer than any token lives."""
    async with run_auth() as auth:
        await auth.ready()
        await database.execute("UPDATE signing_keys SET activated_at = now() - interval '1 h'")
        kid = (await rotate_keys(postgres_url))[1]["kid"]
    row = await database.fetchrow(
        "SELECT extract(epoch FROM min(o.retired_at) - n.activated_at)::float8 AS overlap FROM signing_keys o, "
        "signing_keys n WHERE n.kid = $1 AND o.kid <> $1 AND o.retired_at > now() GROUP BY n.activated_at",
        kid,
    )
    assert row["overlap"] == 960


async def test_schedule_rotates_under_a_lease(run_auth: Any, database: asyncpg.Connection) -> None:
    """A key that has signed for its time is followed by another, one of them however many replicas run."""
    await database.execute("DELETE FROM signing_keys")
    async with run_auth(keys_refresh_seconds=0.1) as one:
        await one.ready()
        await database.execute("UPDATE signing_keys SET activated_at = now() - interval '31 days'")
    async with run_auth(keys_refresh_seconds=0.1) as one, run_auth(keys_refresh_seconds=0.1) as two:
        await asyncio.gather(one.ready(), two.ready())
        async with asyncio.timeout(60):
            while len(await kids(one)) < 2 or len(await kids(two)) < 2:
                await asyncio.sleep(0.05)
        assert sorted(await kids(one)) == sorted(await kids(two))
    assert await database.fetchval("SELECT count(*) FROM signing_keys") == 2
    assert await database.fetchval("SELECT count(*) FROM audit_events WHERE event = 'signing_key_rotated'") >= 1


async def test_leaked_key_is_replaced_at_once(run_auth: Any, people: Any, postgres_url: str) -> None:
    """What the leaked key signed is refused within moments, without a restart, and new tokens hold."""
    async with run_auth("twitter-service") as auth:
        await auth.ready()
        session = await people.register(auth.client)
        body = {"token": session["tokens"]["access_token"]}
        assert (await auth.client.post("/internal/validate-token", json=body)).json()["valid"] is True
        status, report = await rotate_keys(postgres_url, "leaked")
        assert (status, report["signs_in_seconds"]) == (0, 0)
        await until_published(auth, report["kid"])
        assert await kids(auth) == [report["kid"]]
        assert (await auth.client.post("/internal/validate-token", json=body)).json()["valid"] is False
        assert await me(auth, await people.register(auth.client)) == 200
    assert (await rotate_keys(postgres_url, "gone"))[0] == 2


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


async def _administrator(auth: RunningService, people: Any) -> dict[str, str]:
    body = {"email": people.administrator, "password": people.password}
    async with asyncio.timeout(60):
        while (answer := await auth.client.post("/v1/auth/login", json=body)).status_code != 200:
            await asyncio.sleep(0.05)
    return {"Authorization": f"Bearer {answer.json()['data']['tokens']['access_token']}"}


async def test_client_with_a_secret_gets_tokens_bound_to_its_certificate(
    auth: RunningService, people: Any, authority: Authority, tmp_path: Path, database: asyncpg.Connection
) -> None:
    """A job without a service's certificate gets a service's tokens by its secret; rotation and revocation work."""
    headers = await _administrator(auth, people)
    answer = await auth.client.post("/v1/auth/clients", json={"service": "twitter-service"}, headers=headers)
    assert answer.status_code == 201
    made = answer.json()["data"]
    named = {**FORM, "client_id": made["id"], "client_secret": made["client_secret"]}
    job = authority.write(tmp_path, "night-job").client_context()
    async with httpx.AsyncClient(base_url=auth.url, verify=job, trust_env=False) as night:
        got = await night.post("/v1/auth/token", data=named)
        assert got.status_code == 200, got.text
        claims = people.claims(got.json()["access_token"])
        assert (claims["sub"], claims["aud"], len(claims["cnf"]["x5t#S256"])) == (
            "twitter-service",
            "sentiment-service",
            43,
        )
        basic = base64.b64encode(f"{made['id']}:{made['client_secret']}".encode()).decode()
        header = {"Authorization": f"Basic {basic}"}
        assert (await night.post("/v1/auth/token", data=FORM, headers=header)).status_code == 200
        assert (await night.post("/v1/auth/token", data=named, headers=header)).json()["error"] == "invalid_request"
        for wrong in ({"client_secret": "guess"}, {"client_id": "castor-client-000000000000"}, {"client_id": "\x00"}):
            refused = await night.post("/v1/auth/token", data={**named, **wrong})
            assert (refused.status_code, refused.json()["error"]) == (401, "invalid_client")
        over_grant = await night.post("/v1/auth/token", data={**named, "audience": "openai-service"})
        assert over_grant.json()["error"] == "invalid_grant"
        # Over the ingress the token would belong to everybody who comes through it.
        assert (await auth.client.post("/v1/auth/token", data=named)).status_code == 401
        path = f"/v1/auth/clients/{made['id']}"
        second = (await auth.client.post(f"{path}/rotate", json={}, headers=headers)).json()["data"]["client_secret"]
        for secret, status in ((made["client_secret"], 200), (second, 200)):
            assert (await night.post("/v1/auth/token", data={**named, "client_secret": secret})).status_code == status
        await database.execute("UPDATE service_clients SET previous_until = now()")
        assert (await night.post("/v1/auth/token", data=named)).status_code == 401
        listed = (await auth.client.get("/v1/auth/clients", headers=headers)).json()["data"]["items"]
        assert [(one["id"], one["last_used_at"] is not None) for one in listed] == [(made["id"], True)]
        assert "client_secret" not in listed[0]
        assert (await auth.client.delete(path, headers=headers)).status_code == 200
        assert (await night.post("/v1/auth/token", data={**named, "client_secret": second})).status_code == 401
        assert (await auth.client.delete(path, headers=headers)).status_code == 404


async def test_only_administrators_make_clients(auth: RunningService, people: Any) -> None:
    """An analyst is refused, and so is a service that is not in the table of grants."""
    analyst = await people.headers(auth.client)
    body = {"service": "twitter-service"}
    assert (await auth.client.post("/v1/auth/clients", json=body, headers=analyst)).status_code == 403
    admin = await _administrator(auth, people)
    unknown = await auth.client.post("/v1/auth/clients", json={"service": "auth-service"}, headers=admin)
    assert unknown.status_code == 422
