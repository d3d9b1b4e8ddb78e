"""Usage and budgets of organisations: each sees and spends its own."""

from __future__ import annotations

from typing import Any

import asyncpg
import pytest
from openai_support import Run

from castor_chassis.testing import RunningService, TokenIssuer, thumbprint_of, until
from castor_chassis.tls import TlsFiles

from .test_budget import BODY, BUDGETS, HALF, PATH, WIDE, account, settled

pytestmark = pytest.mark.asyncio(loop_scope="module")
USAGE = "/v1/openai/usage"


def bearer(issuer: TokenIssuer, org: str, *scopes: str) -> dict[str, str]:
    """Return the header of a new user of ``org``."""
    return {"Authorization": f"Bearer {issuer.user_token(['llm:use', *scopes], org=org)}"}


async def calls_seen(service: RunningService, headers: dict[str, str], **query: str) -> int:
    """Return how many calls the usage shows."""
    answer = await service.client.get(USAGE, headers=headers, params=query)
    assert answer.status_code == 200, answer.text
    return sum(day["calls"] for day in answer.json()["data"]["items"])


async def test_an_organisation_sees_its_own_usage(
    run: Run, with_upstream: dict[str, Any], ledger: asyncpg.Connection, issuer: TokenIssuer
) -> None:
    """Another's is refused by name; what came before organisations, and of no user, is the platform's."""
    async with run(**with_upstream, **WIDE) as service:
        for org, times in (("acme", 1), ("alba", 2), ("default", 3)):
            for _ in range(times):
                answer = await service.client.post(PATH, json=BODY, headers=bearer(issuer, org))
                assert answer.status_code == 200

        async def stored() -> bool:
            return await ledger.fetchval("SELECT count(*) FROM calls") == 6

        await until(stored)
        await ledger.execute(
            "UPDATE calls SET org = NULL WHERE id = (SELECT id FROM calls WHERE org = 'default' LIMIT 1)"
        )
        acme, platform = bearer(issuer, "acme"), bearer(issuer, "default", "organisations:admin")
        assert [await calls_seen(service, bearer(issuer, org)) for org in ("acme", "alba", "default", "new")] == [
            1, 2, 3, 0,
        ]  # fmt: skip
        assert await calls_seen(service, acme, org="acme") == 1
        for other in ("alba", "default", "*", "nobody"):
            refused = await service.client.get(USAGE, headers=acme, params={"org": other})
            assert (refused.status_code, refused.json()["code"]) == (403, "forbidden")
        assert [await calls_seen(service, platform, org=org) for org in ("alba", "*", "default")] == [2, 6, 3]
        assert (await service.client.get(USAGE, headers=platform, params={"org": "A B"})).status_code == 422


async def test_an_organisation_has_a_budget_of_its_own(
    run: Run, with_upstream: dict[str, Any], ledger: asyncpg.Connection, issuer: TokenIssuer, caller: TlsFiles
) -> None:
    """Its users share it, also where a service calls for them; others, and the service itself, do not use it up."""
    thumbprint = thumbprint_of(caller)
    service_token = f"Bearer {issuer.service_token('rag-service', 'openai-service', ['llm:use'], thumbprint)}"
    exchanged = issuer.delegation("luz", "rag-service", "openai-service", thumbprint, org="acme")
    for_luz = {"Authorization": service_token, "X-User-Authorization": f"Bearer {exchanged}"}
    async with run(**with_upstream, **WIDE, budgets={"org:*": 5, "org:acme": 1.0}) as service:

        async def call(headers: dict[str, str]) -> tuple[int, str | None]:
            answer = await service.client.post(PATH, json=BODY, headers=headers)
            return answer.status_code, (answer.json().get("details") or {}).get("account")

        acme = [await call(bearer(issuer, "acme")), await call(for_luz), await call(bearer(issuer, "acme"))]
        assert acme == [(200, None), (200, None), (429, "org:acme")]
        assert await call(bearer(issuer, "alba")) == (200, None)
        assert await call({"Authorization": service_token}) == (200, None)
        report = (await service.client.get(BUDGETS, headers=bearer(issuer, "acme"))).json()["data"]
        await settled(ledger)
    assert (report["org"], [one["account"] for one in report["accounts"]]) == ("acme", ["org:acme"])
    assert report["accounts"][0]["left_usd"] == 0
    assert await account(ledger, "org:alba") == (HALF, 0)
    orgs = await ledger.fetch("SELECT org, count(*) FROM calls WHERE status = 'ok' GROUP BY 1 ORDER BY 1")
    assert [tuple(row) for row in orgs] == [("acme", 2), ("alba", 1), (None, 1)]
