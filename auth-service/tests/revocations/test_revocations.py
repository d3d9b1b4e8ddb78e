"""Revocations: told by epoch, known to every replica."""

from __future__ import annotations

import asyncio
from typing import Any

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
