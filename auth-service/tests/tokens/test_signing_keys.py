"""Signing keys at rest and at start."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from typing import Any

import asyncpg
import pytest
from jose import jws

from auth_service.crypto.vault import Vault
from auth_service.tokens.signing_keys import SigningKeys
from castor_chassis import Postgres, Unavailable
from castor_chassis.client.transport import httpx
from castor_chassis.security.revocation import Revocation
from castor_chassis.storage.migrations import migrate

pytestmark = pytest.mark.asyncio(loop_scope="module")


async def test_wrong_secret_is_said_in_readiness(run_auth: Any) -> None:
    """With another secret the service lives, is not ready, says what to do, and signs and publishes nothing."""
    async with run_auth() as auth:
        await auth.ready()
    async with run_auth("twitter-service", key_encryption_secret="x" * 40) as auth:
        sentence = "still loading"
        async with httpx.AsyncClient(trust_env=False) as plain:
            while sentence == "still loading":
                report = await plain.get(f"{auth.management_url}/health/ready")
                sentence = report.json()["checks"]["signing_keys"]
                await asyncio.sleep(0.02)
            live = await plain.get(f"{auth.management_url}/health/live")
        assert (report.status_code, live.status_code) == (503, 200)
        assert "KEY_ENCRYPTION_SECRET does not open the stored signing key" in sentence
        assert (await auth.client.get("/v1/auth/jwks")).status_code == 503
        form = {"grant_type": "client_credentials", "audience": "sentiment-service"}
        assert (await auth.client.post("/v1/auth/token", data=form)).status_code == 503


async def test_replicas_that_start_together_make_one_key(run_auth: Any, database: asyncpg.Connection) -> None:
    """Two first starts at once agree on one key, which a restart keeps."""
    await database.execute("DELETE FROM signing_keys")
    async with run_auth() as one, run_auth() as two:
        await asyncio.gather(one.ready(), two.ready())
        sets = [(await each.client.get("/v1/auth/jwks")).json() for each in (one, two)]
    async with run_auth() as restarted:
        await restarted.ready()
        sets.append((await restarted.client.get("/v1/auth/jwks")).json())
    assert sets[0] == sets[1] == sets[2]
    assert len(sets[0]["keys"]) == 1


async def test_next_and_former_keys_are_published_but_do_not_sign(
    run_auth: Any, people: Any, database: asyncpg.Connection
) -> None:
    """A key of the future is published before it signs, a former one until it retires, then neither."""
    async with run_auth() as auth:
        await auth.ready()
    kid = await database.fetchval("SELECT kid FROM signing_keys")
    vault = Vault("a key encryption secret for tests only")
    sealed = await database.fetchval("SELECT sealed FROM signing_keys")
    pem = vault.unseal(kid, sealed)
    await database.executemany(
        "INSERT INTO signing_keys (kid, sealed, activated_at, retired_at) VALUES ($1, $2, now() + $3::interval, $4)",
        [
            ("next", vault.seal("next", pem), _hours(1), None),
            ("former", vault.seal("former", pem), _hours(-999), None),
            ("retired", vault.seal("retired", pem), _hours(-9999), await database.fetchval("SELECT now()")),
        ],
    )
    async with run_auth() as auth:
        await auth.ready()
        published = {key["kid"] for key in (await auth.client.get("/v1/auth/jwks")).json()["keys"]}
        assert published == {kid, "next", "former"}
        token = (await people.register(auth.client))["tokens"]["access_token"]
    await database.execute("DELETE FROM signing_keys WHERE kid <> $1", kid)
    assert _header(token)["kid"] == kid


def _hours(number: int) -> timedelta:
    return timedelta(hours=number)


def _header(token: str) -> dict[str, Any]:
    header: dict[str, Any] = jws.get_unverified_header(token)
    return header


async def test_starts_without_postgres_and_becomes_ready_with_it(run_auth: Any, postgres_server: Any) -> None:
    """PostgreSQL may come later: the service is live meanwhile, and ready by itself afterwards."""
    async with run_auth(database_timeout_seconds=1) as auth:
        await auth.ready()
    postgres_server.stop()
    async with run_auth(migrated=True, database_timeout_seconds=1) as auth:
        assert (await auth.client.get("/v1/auth/jwks")).status_code == 503
        postgres_server.start()
        await auth.ready()
        assert (await auth.client.get("/v1/auth/jwks")).status_code == 200


async def test_a_key_that_leaks_while_the_keys_are_read_is_not_held_again(postgres_url: str) -> None:
    """What was read before the key was replaced is published no longer, and signs nothing."""
    await migrate(postgres_url, "auth_service")
    postgres, vault, keys = Postgres(postgres_url), Vault("a key encryption secret for tests only"), SigningKeys()
    await postgres.open()
    await keys.load(postgres, vault, asyncio.to_thread)
    kid = keys.active().kid
    keys.forget(Revocation("signing_key", kid, 0.0, 0.0))
    await keys.load(postgres, vault, asyncio.to_thread)
    await postgres.close()
    with pytest.raises(Unavailable):
        keys.active()
