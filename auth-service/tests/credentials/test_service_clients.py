"""Service clients that authenticate with a secret."""

from __future__ import annotations

import base64
from pathlib import Path
from typing import Any

import asyncpg
import pytest

from castor_chassis.client.transport import httpx
from castor_chassis.testing import Authority, RunningService

pytestmark = pytest.mark.asyncio(loop_scope="module")
FORM = {"grant_type": "client_credentials", "audience": "sentiment-service"}


async def test_client_with_a_secret_gets_tokens_bound_to_its_certificate(
    auth: RunningService, people: Any, authority: Authority, tmp_path: Path, database: asyncpg.Connection
) -> None:
    """A job without a service's certificate gets a service's tokens by its secret; rotation and revocation work."""
    headers = await people.administrator_headers(auth.client)
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
    admin = await people.administrator_headers(auth.client)
    unknown = await auth.client.post("/v1/auth/clients", json={"service": "auth-service"}, headers=admin)
    assert unknown.status_code == 422
