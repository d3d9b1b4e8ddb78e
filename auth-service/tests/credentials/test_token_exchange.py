"""Token exchange (RFC 8693): a user's token for one that a single peer accepts from a single service."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import pytest
import pytest_asyncio

from castor_chassis.client.transport import httpx
from castor_chassis.testing import RunningService

pytestmark = pytest.mark.asyncio(loop_scope="module")
FORM = {
    "grant_type": "urn:ietf:params:oauth:grant-type:token-exchange",
    "subject_token_type": "urn:ietf:params:oauth:token-type:access_token",
    "audience": "openai-service",
}


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def auth_for_rag(run_auth: Any) -> AsyncIterator[RunningService]:
    """auth-service, ready, reached by rag-service."""
    async with run_auth("rag-service") as service:
        await service.ready()
        yield service


@pytest_asyncio.fixture(loop_scope="module")
async def session(auth_for_rag: RunningService, people: Any) -> dict[str, Any]:
    """The tokens of an analyst."""
    tokens: dict[str, Any] = (await people.register(auth_for_rag.client))["tokens"]
    return tokens


async def exchange(service: RunningService, token: str, **changed: str) -> httpx.Response:
    """Ask for the token in exchange."""
    return await service.client.post("/v1/auth/token", data={**FORM, "subject_token": token, **changed})


async def test_the_exchanged_token_is_narrow(auth_for_rag: RunningService, session: Any, people: Any) -> None:
    """One audience, one sender by name and certificate, the scopes that both hold, five minutes, the same session."""
    user = people.claims(session["access_token"])
    answer = await exchange(auth_for_rag, session["access_token"])
    assert answer.status_code == 200, answer.text
    assert answer.json()["issued_token_type"] == FORM["subject_token_type"]
    claims = people.claims(answer.json()["access_token"])
    kept = {name: claims[name] for name in ("sub", "sid", "aud", "token_use", "scope", "act")}
    assert kept == {
        "sub": user["sub"],
        "sid": user["sid"],
        "aud": "openai-service",
        "token_use": "delegation",
        "scope": "llm:use",
        "act": {"sub": "rag-service"},
    }
    assert claims["exp"] - claims["iat"] == answer.json()["expires_in"] == 300
    assert set(claims["cnf"]) == {"x5t#S256"}
    assert "email" not in claims


@pytest.mark.parametrize(
    ("changed", "error"),
    [
        ({"audience": "forecast-service"}, "invalid_grant"),
        ({"scope": "users:admin"}, "invalid_scope"),
        ({"subject_token": "x"}, "invalid_request"),
        ({"subject_token_type": "urn:ietf:params:oauth:token-type:jwt"}, "invalid_request"),
    ],
)
async def test_nothing_else_is_exchanged(
    auth_for_rag: RunningService, session: Any, changed: dict[str, str], error: str
) -> None:
    """No edge beyond the table of grants, no scope beyond it, no other kind of token."""
    answer = await exchange(auth_for_rag, session["access_token"], **changed)
    assert (answer.status_code, answer.json()["error"]) == (400, error)


async def test_an_exchanged_token_is_not_exchanged_again(auth_for_rag: RunningService, session: Any) -> None:
    """Neither for another peer nor for its own; a service's token is none of a user."""
    exchanged = (await exchange(auth_for_rag, session["access_token"])).json()["access_token"]
    own = await auth_for_rag.client.post(
        "/v1/auth/token", data={"grant_type": "client_credentials", "audience": "openai-service"}
    )
    for token in (exchanged, own.json()["access_token"]):
        answer = await exchange(auth_for_rag, token, audience="twitter-service")
        assert (answer.status_code, answer.json()["error"]) == (400, "invalid_request")


async def test_a_session_that_ended_is_not_exchanged(auth_for_rag: RunningService, session: Any) -> None:
    """After the logout the token gives nothing."""
    logout = {"refresh_token": session["refresh_token"]}
    assert (await auth_for_rag.client.post("/v1/auth/logout", json=logout)).status_code == 200
    answer = await exchange(auth_for_rag, session["access_token"])
    assert (answer.status_code, answer.json()["error"]) == (400, "invalid_request")


async def test_an_api_key_is_exchanged_while_it_is_in_force(
    auth_for_rag: RunningService, session: Any, people: Any
) -> None:
    """The peer learns whose key it is, of which organisation, and no more than the key may; a revoked one is none."""
    bearer = {"Authorization": f"Bearer {session['access_token']}"}
    body = {"name": "script", "scopes": ["rag:query"], "expires_in_days": 1}
    made = (await auth_for_rag.client.post("/v1/auth/api-keys", json=body, headers=bearer)).json()["data"]
    kind = {"subject_token_type": "urn:castor:token-type:api_key"}
    answer = await exchange(auth_for_rag, made["key"], **kind)
    assert answer.status_code == 200, answer.text
    claims = people.claims(answer.json()["access_token"])
    user = people.claims(session["access_token"])
    assert {name: claims[name] for name in ("sub", "org", "scope", "token_use", "aud")} == {
        "sub": user["sub"],
        "org": "default",
        "scope": "",
        "token_use": "delegation",
        "aud": "openai-service",
    }
    assert claims["exp"] - claims["iat"] == 300
    wrong = made["key"][:-1] + ("A" if made["key"][-1] != "A" else "B")
    unknown = await exchange(auth_for_rag, wrong, **kind)
    as_token = await exchange(auth_for_rag, made["key"])
    assert (await auth_for_rag.client.delete(f"/v1/auth/api-keys/{made['id']}", headers=bearer)).status_code == 200
    revoked = await exchange(auth_for_rag, made["key"], **kind)
    for refused in (unknown, as_token, revoked):
        assert (refused.status_code, refused.json()["error"]) == (400, "invalid_request")
