"""Tokens of service accounts: by a secret, as any OAuth client library asks for them, and what they open."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import asyncpg
import pytest

from auth_service.service_accounts import credential_repository
from castor_chassis import Postgres
from castor_chassis.testing import until

from .conftest import SCOPES, TOKEN, Machines

pytestmark = pytest.mark.asyncio(loop_scope="module")


async def test_any_client_gets_a_token(machines: Machines, people: Any) -> None:
    """Authlib by both ways of sending a secret, and plain httpx by Basic: the token says who and for how long."""
    form = await machines.client()
    name, secret = form["client_id"], form["client_secret"]
    found = []
    for method in ("client_secret_basic", "client_secret_post"):
        async with machines.authlib(name, secret, token_endpoint_auth_method=method, scope=SCOPES[0]) as client:
            found.append(await client.fetch_token())
    async with machines.plain() as client:
        answer = await client.post(TOKEN, data={"grant_type": "client_credentials"}, auth=(name, secret))
        assert answer.headers["cache-control"] == "no-store"
        found.append(answer.json())
    assert [(one["token_type"], one["expires_in"], one["scope"]) for one in found] == [
        ("Bearer", 300, "tweets:read"), ("Bearer", 300, "tweets:read"), ("Bearer", 300, "trends:read tweets:read"),
    ]  # fmt: skip
    claims = people.claims(found[2]["access_token"])
    assert {key: claims[key] for key in ("sub", "client_id", "org", "aud", "scope")} == {
        "sub": name, "client_id": name, "org": "default", "aud": "castor", "scope": "trends:read tweets:read",
    }  # fmt: skip
    assert "refresh_token" not in found[2]


async def test_services_accept_it_within_its_scopes(machines: Machines) -> None:
    """What its scope opens is open, what another opens is refused in words of its own, what takes a person is shut."""
    reader = (await machines.token(await machines.client(scopes=["users:admin"]))).json()["access_token"]
    assert await machines.uses(reader) == 200
    other = (await machines.token(await machines.client())).json()["access_token"]
    bearer = {"Authorization": f"Bearer {other}"}
    refused = await machines.auth.client.get("/v1/auth/users", headers=bearer)
    assert refused.status_code == 403
    assert "service account lacks the scope 'users:admin'" in refused.json()["error"]
    machine = {"Authorization": f"Bearer {reader}"}
    made = await machines.auth.client.post(
        "/v1/auth/service-accounts", json={"name": "x", "scopes": ["tweets:read"]}, headers=machine
    )
    assert made.status_code == 403


@pytest.mark.parametrize(
    ("changed", "status", "error"),
    [
        ({"client_secret": "guess"}, 401, "invalid_client"),
        ({"client_secret": ""}, 401, "invalid_client"),
        ({"client_id": "castor-account-000000000000"}, 401, "invalid_client"),
        ({"client_id": "\x00"}, 401, "invalid_client"),
        ({"client_id": ""}, 401, "invalid_client"),
        ({"scope": "tweets:read llm:use"}, 400, "invalid_scope"),
        ({"scope": "né"}, 400, "invalid_scope"),
        ({"grant_type": "password"}, 400, "unsupported_grant_type"),
        ({"grant_type": ""}, 400, "unsupported_grant_type"),
        ({"client_assertion": "x"}, 400, "invalid_request"),
    ],
)
async def test_refusals(machines: Machines, changed: dict[str, str], status: int, error: str) -> None:
    """Each has the status and the code of RFC 6749."""
    refused = await machines.token(await machines.client(), **changed)
    assert (refused.status_code, refused.json()["error"]) == (status, error), refused.text
    assert status != 401 or refused.headers["www-authenticate"] == "Bearer"


async def test_a_client_named_twice_is_refused(machines: Machines) -> None:
    """In the form and in the header: which of them asks is not guessed. A refused Basic header is answered in kind."""
    form = await machines.client()
    async with machines.plain() as client:
        both = await client.post(TOKEN, data=form, auth=(form["client_id"], form["client_secret"]))
        assert both.json()["error"] == "invalid_request"
        grant = {"grant_type": "client_credentials"}
        wrong = await client.post(TOKEN, data=grant, auth=(form["client_id"], "guess"))
        assert (wrong.status_code, wrong.headers["www-authenticate"]) == (401, 'Basic realm="castor"')


async def test_rotation(machines: Machines, database: asyncpg.Connection) -> None:
    """Two secrets hold at a time; one that is revoked or expired gets nothing, and its tokens end, not the other's."""
    first = await machines.client(scopes=["users:admin"])
    account = first["client_id"]
    added = await machines.credential(account)
    second = {**first, "client_secret": added["client_secret"]}
    old, new = [(await machines.token(form)).json()["access_token"] for form in (first, second)]
    assert (await machines.uses(old), await machines.uses(new)) == (200, 200)
    details = (await machines.ask("GET", f"/{account}")).json()["data"]
    assert [one["last_used_at"] is not None for one in details["credentials"]] == [True, True]
    assert "client_secret" not in str(details)
    path = f"/{account}/credentials/{details['credentials'][1]['id']}"
    assert (await machines.ask("DELETE", path)).status_code == 200
    assert (await machines.token(first)).status_code == 401
    await until(lambda: _refused(machines, old))
    assert await machines.uses(new) == 200
    assert (await machines.ask("DELETE", path)).json()["code"] == "credential_not_found"
    await database.execute("UPDATE service_account_credentials SET expires_at = now() WHERE id = $1", added["id"])
    assert (await machines.token(second)).status_code == 401


async def _refused(machines: Machines, token: str) -> bool:
    return await machines.uses(token) == 401


async def test_the_limit_counts_clients_that_proved_themselves(run_auth: Any, people: Any, machines: Machines) -> None:
    """Above it 429; those who do not know the secret cannot use it up."""
    async with run_auth(service_account_rate_limit="2/minute") as limited:
        await limited.ready()
        few = Machines(limited, await people.administrator_headers(limited.client), machines.trust)
        form = await few.client()
        guesses = [(await few.token(form, client_secret="guess")).status_code for _ in range(3)]
        assert guesses == [401] * 3
        answers = [await few.token(form) for _ in range(3)]
        assert [one.status_code for one in answers] == [200, 200, 429]
        assert int(answers[2].headers["retry-after"]) > 0


async def test_a_service_exchanges_it(run_auth: Any, people: Any, machines: Machines) -> None:
    """rag-service gets a token that names the service account for openai-service, which bills it."""
    async with run_auth("rag-service") as auth_for_rag:
        await auth_for_rag.ready()
        form = await machines.client(scopes=["rag:query", "llm:use"])
        token = (await machines.token(form)).json()["access_token"]
        exchange = {
            "grant_type": "urn:ietf:params:oauth:grant-type:token-exchange",
            "subject_token_type": "urn:ietf:params:oauth:token-type:access_token",
            "audience": "openai-service",
            "subject_token": token,
        }
        answer = await auth_for_rag.client.post("/v1/auth/token", data=exchange)
        assert answer.status_code == 200, answer.text
        claims = people.claims(answer.json()["access_token"])
        assert (claims["sub"], claims["scope"], claims["act"]) == (form["client_id"], "llm:use", {"sub": "rag-service"})


async def test_every_step_is_audited(machines: Machines, database: asyncpg.Connection) -> None:
    """Who made, changed and ended what; refusals name the client; no secret is written."""
    form = await machines.client()
    account = form["client_id"]
    credential = (await machines.ask("GET", f"/{account}")).json()["data"]["credentials"][0]["id"]
    for method, path in (
        ("POST", f"/{account}/disable"), ("POST", f"/{account}/enable"),
        ("DELETE", f"/{account}/credentials/{credential}"), ("DELETE", f"/{account}"),
    ):  # fmt: skip
        assert (await machines.ask(method, path)).status_code == 200
    rows = await database.fetch(
        "SELECT event, details::text AS details FROM audit_events WHERE details->>'about' = $1 ORDER BY id", account
    )
    assert [row["event"].removeprefix("service_account_") for row in rows] == [
        "created", "credential_added", "disabled", "enabled", "credential_revoked", "deleted",
    ]  # fmt: skip
    assert not any(form["client_secret"] in row["details"] for row in rows)


async def test_the_audit_log_holds_nothing_that_a_stranger_typed(
    run_auth: Any, machines: Machines, database: asyncpg.Connection
) -> None:
    """A refusal names an account, if the client_id has the form of one, and else nobody."""
    async with run_auth() as fresh:
        await fresh.ready()
        asked = Machines(fresh, machines.headers, machines.trust)
        form = {"grant_type": "client_credentials", "client_secret": "x"}
        for name in ("ana@example.com", "castor-account-00000000cafe"):
            assert (await asked.token(form, client_id=name)).status_code == 401
    rows = await database.fetch("SELECT subject FROM audit_events WHERE event = 'service_account_refused'")
    subjects = [row["subject"] for row in rows]
    assert "castor-account-00000000cafe" in subjects
    assert "ana@example.com" not in subjects


async def test_credentials_that_ended_long_ago_are_deleted(
    machines: Machines, database: asyncpg.Connection, postgres_url: str
) -> None:
    """Those that ended lately stay, and so do those in force."""
    changes = {
        "expired": "expires_at = now() - interval '91 days'",
        "revoked": "revoked_at = now() - interval '91 days'",
        "lately": "revoked_at = now() - interval '1 day'",
        "kept": "last_used_at = now()",
    }
    names = {name: (await machines.client())["client_id"] for name in changes}
    for name, change in changes.items():
        await database.execute(f"UPDATE service_account_credentials SET {change} WHERE account_id = $1", names[name])
    postgres = Postgres(postgres_url)
    await postgres.open()
    await credential_repository.delete_ended(postgres, timedelta(days=90))
    await postgres.close()
    left = {row["account_id"] for row in await database.fetch("SELECT account_id FROM service_account_credentials")}
    assert {name for name, account in names.items() if account in left} == {"lately", "kept"}
