"""Rotation of the signing keys."""

from __future__ import annotations

import asyncio
import json
import os
import subprocess
import sys
from typing import Any

import asyncpg
import pytest
from jose import jws

from castor_chassis.testing import RunningService

pytestmark = pytest.mark.asyncio(loop_scope="module")


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
    """Return the published keys: for a moment none (503), while the replacement of leaked ones is read."""
    answer = await auth.client.get("/v1/auth/jwks")
    return [] if answer.status_code == 503 else [key["kid"] for key in answer.json()["keys"]]


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
