"""Revocations: told by epoch, known to every replica."""

from __future__ import annotations

import asyncio
from typing import Any

import asyncpg
import pytest

from castor_chassis.testing import RunningService

pytestmark = pytest.mark.asyncio(loop_scope="module")


async def test_what_one_replica_ends_is_dead_at_the_other(run_auth: Any, people: Any) -> None:
    """Replicas share nothing but PostgreSQL and learn of each other's revocations, also without Redis."""
    async with run_auth("twitter-service", redis_url=None) as one, run_auth("twitter-service", redis_url=None) as two:
        await asyncio.gather(one.ready(), two.ready())
        session = await people.register(one.client)
        body = {"token": session["tokens"]["access_token"]}
        assert (await two.client.post("/internal/validate-token", json=body)).json()["valid"] is True
        await one.client.post("/v1/auth/logout", json={"refresh_token": session["tokens"]["refresh_token"]})
        assert (await one.client.post("/internal/validate-token", json=body)).json()["valid"] is False
        async with asyncio.timeout(60):
            while (await two.client.post("/internal/validate-token", json=body)).json()["valid"]:
                await asyncio.sleep(0.02)


async def test_revocations_are_told_by_epoch(auth_for_services: RunningService, people: Any) -> None:
    """Whoever asks after the epoch it knows gets what came since, once."""
    client = auth_for_services.client
    known = (await client.get("/internal/revocations")).json()["data"]["epoch"]
    session = await people.register(client)
    await client.post("/v1/auth/logout", json={"refresh_token": session["tokens"]["refresh_token"]})
    told = (await client.get(f"/internal/revocations?after={known}")).json()["data"]
    sid = people.claims(session["tokens"]["access_token"])["sid"]
    assert [(item["kind"], item["subject"]) for item in told["items"]] == [("session", sid)]
    assert told["epoch"] == known + 1
    assert (await client.get(f"/internal/revocations?after={known + 1}")).json()["data"]["items"] == []


async def test_keys_that_end_with_the_password_end_their_exchanged_tokens(
    auth_for_services: RunningService, people: Any
) -> None:
    """As for a key that is revoked by itself, both are told: the key, and the ``sid`` of what it was exchanged for."""
    client = auth_for_services.client
    session = await people.register(client)
    headers = {"Authorization": f"Bearer {session['tokens']['access_token']}"}
    body = {"name": "k", "scopes": ["trends:read"]}
    key = (await client.post("/v1/auth/api-keys", json=body, headers=headers)).json()["data"]["id"]
    change = {"current_password": people.password, "new_password": "otra clave bien larga", "revoke_api_keys": True}
    assert (await client.post("/v1/auth/me/password", json=change, headers=headers)).status_code == 200
    told = (await client.get("/internal/revocations")).json()["data"]["items"]
    assert {item["kind"] for item in told if item["subject"] == key} == {"api_key", "session"}


async def test_revocations_outlive_every_token(run_auth: Any, people: Any) -> None:
    """They are kept as long as the longest token lives, also where users' tokens are not the longest."""
    async with run_auth("twitter-service", access_token_seconds=60, service_token_seconds=300) as auth:
        await auth.ready()
        session = await people.register(auth.client)
        await auth.client.post("/v1/auth/logout", json={"refresh_token": session["tokens"]["refresh_token"]})
        told = (await auth.client.get("/internal/revocations")).json()["data"]["items"]
        sid = people.claims(session["tokens"]["access_token"])["sid"]
        (kept,) = [item for item in told if item["subject"] == sid]
        assert kept["expires_at"] - kept["revoked_at"] > 300


async def test_an_epoch_to_come_brings_everything(
    auth_for_services: RunningService, people: Any, database: asyncpg.Connection
) -> None:
    """A service that knows more than a restored database gets all that is in force, and the epoch that there is."""
    client = auth_for_services.client
    session = await people.register(client)
    await client.post("/v1/auth/logout", json={"refresh_token": session["tokens"]["refresh_token"]})
    present = (await client.get("/internal/revocations")).json()["data"]
    assert people.claims(session["tokens"]["access_token"])["sid"] in {item["subject"] for item in present["items"]}
    told = (await client.get(f"/internal/revocations?after={present['epoch'] + 99}")).json()["data"]
    assert told == present
    # Of another replica: this one has not read it yet, and must not take it for an epoch to come.
    next_epoch = await database.fetchval("UPDATE revocation_epoch SET epoch = epoch + 1 RETURNING epoch")
    told = (await client.get(f"/internal/revocations?after={next_epoch}")).json()["data"]
    assert (told["epoch"], told["items"]) == (next_epoch, [])
