"""Tokens for services, and the key set that all verify with."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Annotated, Any

import asyncpg
import pytest
from fastapi import APIRouter, Depends

from castor_chassis import Chassis, Ok, Principal, ServiceSettings, create_service, ok, require
from castor_chassis.client.transport import httpx
from castor_chassis.testing import Authority, RunningService, run_service, tls_settings

pytestmark = pytest.mark.asyncio(loop_scope="module")

FORM = {"grant_type": "client_credentials", "audience": "sentiment-service"}


class ScoringSettings(ServiceSettings):
    """Settings of a service that takes tokens of auth-service."""

    service_name = "sentiment-service"


def _router() -> APIRouter:
    router = APIRouter(prefix="/v1/sentiment")

    @router.get("/whoami")
    async def whoami(caller: Annotated[Principal, Depends(require("sentiment:analyze"))]) -> Ok[list[str]]:
        return ok([caller.kind, caller.subject, " ".join(sorted(caller.scopes))])

    return router


@asynccontextmanager
async def _start(_chassis: Chassis) -> AsyncIterator[None]:
    yield None


def _other_service(auth: RunningService, authority: Authority, folder: Path) -> tuple[Any, ServiceSettings]:
    settings = ScoringSettings(
        **tls_settings(authority.write(folder, "sentiment-service")), auth_url=auth.url, log_level="ERROR"
    )
    app = create_service(
        settings, package="castor_chassis", version="1", summary="Scores.", routers=[_router()], start=_start
    )
    return app, settings


async def _whoami(client: httpx.AsyncClient, token: str) -> httpx.Response:
    return await client.get("/v1/sentiment/whoami", headers={"Authorization": f"Bearer {token}"})


async def test_another_service_accepts_tokens_through_the_published_keys(
    auth_for_services: RunningService, authority: Authority, tmp_path: Path, people: Any
) -> None:
    """A service token opens the audience over the caller's own certificate, and over no other; so does a user's."""
    token = (await auth_for_services.client.post("/v1/auth/token", data=FORM)).json()["access_token"]
    user = (await people.register(auth_for_services.client))["tokens"]["access_token"]
    app, settings = _other_service(auth_for_services, authority, tmp_path / "sentiment")
    own = authority.write(tmp_path, "twitter-service")
    async with run_service(app, settings, client_files=own) as other:
        # A renewed certificate of the same service is another certificate.
        renewed = await _whoami(other.client, token)
        assert (renewed.status_code, "another certificate" in renewed.json()["error"]) == (401, True)
        async with httpx.AsyncClient(
            base_url=auth_for_services.url, verify=own.client_context(), trust_env=False
        ) as twitter:
            fresh = (await twitter.post("/v1/auth/token", data=FORM)).json()["access_token"]
        accepted = await _whoami(other.client, fresh)
        assert accepted.json()["data"] == ["service", "twitter-service", "sentiment:analyze"]
        by_user = await _whoami(other.client, user)
        assert by_user.json()["data"][0] == "user"
        forged = await _whoami(other.client, user[:-8] + "AAAAAAAA")
        assert forged.status_code == 401


async def test_service_token_is_for_one_audience_and_five_minutes(
    auth_for_services: RunningService, people: Any
) -> None:
    """The token names caller, audience, granted scope and certificate, in the shape of RFC 6749."""
    answer = await auth_for_services.client.post("/v1/auth/token", data=FORM)
    body = answer.json()
    assert answer.headers["cache-control"] == "no-store"
    assert set(body) == {"access_token", "token_type", "expires_in", "scope"}
    assert (body["token_type"], body["expires_in"], body["scope"]) == ("Bearer", 300, "sentiment:analyze")
    claims = people.claims(body["access_token"])
    assert set(claims) == {"iss", "sub", "aud", "exp", "iat", "jti", "token_use", "scope", "cnf"}
    assert (claims["sub"], claims["aud"], claims["token_use"]) == ("twitter-service", "sentiment-service", "service")
    assert claims["exp"] - claims["iat"] == 300
    assert len(claims["cnf"]["x5t#S256"]) == 43


@pytest.mark.parametrize(
    ("form", "error"),
    [
        ({"audience": "sentiment-service"}, "invalid_request"),
        ({"grant_type": "client_credentials"}, "invalid_request"),
        ({"grant_type": ["client_credentials"] * 2, "audience": "sentiment-service"}, "invalid_request"),
        ({"grant_type": "password", "audience": "sentiment-service"}, "unsupported_grant_type"),
        ({**FORM, "audience": "rag-service"}, "invalid_grant"),
        ({**FORM, "audience": "auth-service\x00"}, "invalid_grant"),
        ({**FORM, "scope": "sentiment:analyze llm:use"}, "invalid_scope"),
    ],
)
async def test_what_is_not_granted_is_refused_in_the_words_of_rfc_6749(
    auth_for_services: RunningService, form: dict[str, Any], error: str
) -> None:
    """Each refusal is a 400 with error and error_description."""
    answer = await auth_for_services.client.post("/v1/auth/token", data=form)
    assert answer.status_code == 400
    assert answer.json()["error"] == error
    assert answer.json()["error_description"]


async def test_a_subset_of_the_grant_may_be_asked_for(run_auth: Any) -> None:
    """The scope asked for is the scope given."""
    async with run_auth("rag-service") as auth:
        await auth.ready()
        form = {"grant_type": "client_credentials", "audience": "openai-service", "scope": "llm:use"}
        assert (await auth.client.post("/v1/auth/token", data=form)).json()["scope"] == "llm:use"


@pytest.mark.parametrize("caller", ["trending-service", "forecast-service"])
async def test_who_makes_analyses_may_write_documents_and_nothing_else(run_auth: Any, caller: str) -> None:
    """The grant at rag-service reads nothing and asks nothing."""
    async with run_auth(caller) as auth:
        await auth.ready()
        form = {"grant_type": "client_credentials", "audience": "rag-service"}
        assert (await auth.client.post("/v1/auth/token", data=form)).json()["scope"] == "documents:write"
        refused = await auth.client.post("/v1/auth/token", data={**form, "scope": "documents:read"})
        assert refused.json()["error"] == "invalid_scope"


@pytest.mark.parametrize("caller", ["ingress", "laptop"])
async def test_only_services_are_clients(run_auth: Any, caller: str, database: asyncpg.Connection) -> None:
    """A certificate that names no service gets 401 invalid_client, and the attempt is on record."""
    async with run_auth(caller) as auth:
        await auth.ready()
        answer = await auth.client.post("/v1/auth/token", data=FORM)
    assert (answer.status_code, answer.json()["error"]) == (401, "invalid_client")
    assert "www-authenticate" in answer.headers
    recorded = await database.fetchval(
        "SELECT count(*) FROM audit_events WHERE event = 'service_token_refused' AND subject = $1", caller
    )
    assert recorded == 1


async def test_strangers_do_not_write_the_audit_log(run_auth: Any, database: asyncpg.Connection) -> None:
    """Many refusals of callers that are no service become one event with their number."""
    async with run_auth("stranger") as auth:
        await auth.ready()
        for audience in range(20):
            form = {**FORM, "audience": f"any {audience}"}
            assert (await auth.client.post("/v1/auth/token", data=form)).status_code == 401
        before = await database.fetchval("SELECT count(*) FROM audit_events WHERE subject = 'stranger'")
    rows = await database.fetch("SELECT details FROM audit_events WHERE subject = 'stranger'")
    assert before == 0
    assert [json.loads(row["details"]) for row in rows] == [{"count": 20, "reasons": {"invalid_client": 20}}]


async def test_key_set_is_public_cacheable_and_holds_no_private_part(auth: RunningService) -> None:
    """The JWKS has RSA public keys of 2048 bits, and says how long it may be kept."""
    answer = await auth.client.get("/v1/auth/jwks")
    assert answer.headers["cache-control"] == "public, max-age=300"
    (key,) = answer.json()["keys"]
    assert set(key) == {"kty", "alg", "use", "kid", "n", "e"}
    assert (key["kty"], key["alg"], key["use"], len(key["n"])) == ("RSA", "RS256", "sig", 342)


async def test_stopped_postgres_stops_neither_keys_nor_tokens(run_auth: Any, people: Any, postgres_server: Any) -> None:
    """With PostgreSQL away, keys, verification and service tokens go on, logins answer 503, and all heals."""
    async with run_auth("twitter-service", database_timeout_seconds=1) as auth:
        await auth.ready()
        email = people.email()
        session = await people.register(auth.client, email)
        login = {"email": email, "password": people.password}
        postgres_server.stop()
        assert (await auth.client.get("/v1/auth/jwks")).status_code == 200
        verdict = await auth.client.post("/internal/validate-token", json={"token": session["tokens"]["access_token"]})
        assert verdict.json()["valid"] is True
        assert (await auth.client.post("/v1/auth/token", data=FORM)).status_code == 200
        refused = await auth.client.post("/v1/auth/token", data={**FORM, "audience": "rag-service"})
        assert refused.json()["error"] == "invalid_grant"
        away = await auth.client.post("/v1/auth/login", json=login)
        assert (away.status_code, away.json()["code"]) == (503, "database_unavailable")
        assert "retry-after" in away.headers
        postgres_server.start()
        await auth.ready()
        assert (await auth.client.post("/v1/auth/login", json=login)).status_code == 200
