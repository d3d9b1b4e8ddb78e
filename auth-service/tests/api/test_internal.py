"""What services ask about users."""

from __future__ import annotations

import uuid
from typing import Any

import pytest

from castor_chassis.testing import RunningService, TokenIssuer

pytestmark = pytest.mark.asyncio(loop_scope="module")


async def test_good_token_is_answered_with_its_owner(auth_for_services: RunningService, people: Any) -> None:
    """The bare answer has valid, user_id, email, roles and exp, as today's callers expect."""
    session = await people.register(auth_for_services.client)
    token = session["tokens"]["access_token"]
    answer = await auth_for_services.client.post("/internal/validate-token", json={"token": token})
    assert (answer.status_code, answer.json()) == (
        200,
        {
            "valid": True,
            "user_id": session["user"]["id"],
            "email": session["user"]["email"],
            "roles": ["analyst"],
            "exp": people.claims(token)["exp"],
        },
    )


async def test_remembered_token_gets_the_same_answer_by_both_ways(
    auth_for_services: RunningService, people: Any
) -> None:
    """First sight, quick answer and traced request say the same bytes; an ended session is told at once."""
    session = await people.register(auth_for_services.client)
    body = {"token": session["tokens"]["access_token"]}
    sampled = {"traceparent": "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"}
    ask = auth_for_services.client.post
    answers = [await ask("/internal/validate-token", json=body) for _ in range(3)]
    answers.append(await ask("/internal/validate-token", json=body, headers=sampled))
    assert len({answer.content for answer in answers}) == 1
    assert answers[0].json()["valid"] is True
    await ask("/v1/auth/logout", json={"refresh_token": session["tokens"]["refresh_token"]})
    assert (await ask("/internal/validate-token", json=body)).json()["valid"] is False


@pytest.mark.parametrize("token", ["", "nonsense", "a.b.c", "castor_0123_x", "x" * 100_000, "ñ.ñ.ñ"])
async def test_bad_token_is_an_answer_not_an_outage(auth_for_services: RunningService, token: str) -> None:
    """Whatever the text, the status is 200 and the answer says why it does not hold."""
    answer = await auth_for_services.client.post("/internal/validate-token", json={"token": token})
    assert answer.status_code == 200
    assert answer.json()["valid"] is False
    assert answer.json()["reason"]


async def test_tokens_that_are_not_a_users_are_told_apart(auth_for_services: RunningService, people: Any) -> None:
    """A stranger's token, a refresh token and a service token are none of a user's."""
    client = auth_for_services.client
    refresh = (await people.register(client))["tokens"]["refresh_token"]
    form = {"grant_type": "client_credentials", "audience": "sentiment-service"}
    service = (await client.post("/v1/auth/token", data=form)).json()["access_token"]
    for token in (TokenIssuer().user_token(["tweets:read"]), refresh, service):
        answer = await client.post("/internal/validate-token", json={"token": token})
        assert (answer.status_code, answer.json()["valid"]) == (200, False)


async def test_user_lookup(auth_for_services: RunningService, people: Any) -> None:
    """A known id gives the account, bare; an unknown one 404; no id at all 422."""
    session = await people.register(auth_for_services.client)
    found = await auth_for_services.client.get(f"/internal/user/{session['user']['id']}")
    assert set(found.json()) == {"id", "email", "roles", "org", "is_active", "created_at"}
    assert found.json()["email"] == session["user"]["email"]
    missing = await auth_for_services.client.get(f"/internal/user/{uuid.uuid4()}")
    assert (missing.status_code, missing.json()["code"]) == (404, "user_not_found")
    assert (await auth_for_services.client.get("/internal/user/7")).status_code == 422


@pytest.mark.parametrize(
    ("method", "path", "body"),
    [
        ("POST", "/internal/validate-token", {"token": "x"}),
        ("POST", "/internal/api-keys/verify", {"key": "x"}),
        ("GET", "/internal/user/00000000-0000-0000-0000-000000000000", None),
    ],
)
async def test_internal_paths_are_closed_to_the_ingress(
    auth: RunningService, method: str, path: str, body: dict[str, str] | None
) -> None:
    """Only the certificate of a service opens them."""
    assert (await auth.client.request(method, path, json=body)).status_code == 403


async def test_accounts_are_read_by_services_that_are_granted_it(run_auth: Any, people: Any) -> None:
    """Another service's certificate opens the other internal routes, not the accounts."""
    async with run_auth("forecast-service", account_readers="rag-service") as auth:
        await auth.ready()
        session = await people.register(auth.client)
        account = await auth.client.get(f"/internal/user/{session['user']['id']}")
        revocations = await auth.client.get("/internal/revocations")
    assert (account.status_code, account.json()["code"]) == (403, "forbidden")
    assert "forecast-service" in account.json()["error"]
    assert revocations.status_code == 200
