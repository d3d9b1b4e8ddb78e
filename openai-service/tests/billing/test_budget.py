"""Budgets: never exceeded, no money lost, and refusals that say why."""

from __future__ import annotations

import asyncio
from collections import Counter
from decimal import Decimal
from typing import Any

import asyncpg
import openai
import pytest
from fake_openai import FakeOpenAI, Fault
from openai_support import Run, Sdk

from castor_chassis.client.transport import httpx
from castor_chassis.testing import RunningService, TokenIssuer, thumbprint_of, until
from castor_chassis.tls import TlsFiles
from castor_devstack.stack.postgres import EmbeddedPostgres
from openai_service.billing.meter import Attempt
from openai_service.billing.prices import Prices, Tokens

pytestmark = pytest.mark.asyncio(loop_scope="module")

PATH, BUDGETS = "/v1/openai/chat/completions", "/v1/openai/budgets"
MESSAGES: list[Any] = [{"role": "user", "content": "hola"}]
# The fake always counts 500 completion tokens: a call costs half a dollar, and 500 tokens are its bound.
PRICE = {"priced": (0.0, 1000.0)}
BODY = {"model": "priced", "messages": MESSAGES, "max_tokens": 500}
WIDE = {"max_concurrent_requests": 2000, "peer_max_connections": 600, "allow_degraded": False, "price_table": PRICE}
HALF = 500_000_000


async def account(ledger: asyncpg.Connection, name: str = "total") -> tuple[int, int]:
    """Return (spent, held) of an account in nano-USD."""
    row = await ledger.fetchrow("SELECT spent_nano, held_nano FROM budget_accounts WHERE account = $1", name)
    return (row[0], row[1]) if row else (0, 0)


async def settled(ledger: asyncpg.Connection) -> None:
    """Wait until nothing is held."""

    async def nothing_held() -> bool:
        return await ledger.fetchval("SELECT count(*) FROM budget_holds") == 0

    await until(nothing_held)


async def test_500_calls_at_once_against_a_budget_for_100(
    run: Run, upstream: FakeOpenAI, with_upstream: dict[str, Any], ledger: asyncpg.Connection
) -> None:
    """Two replicas allow exactly 100 of 500 concurrent calls: the limit is exceeded by 0 nano-dollars."""
    options = {**with_upstream, **WIDE, "budgets": {"total": 50}}
    async with run(**options) as one, run(**options) as two:

        async def call(service: RunningService) -> int:
            return (await service.client.post(PATH, json=BODY, timeout=100)).status_code

        statuses = Counter(await asyncio.gather(*(call(one if number % 2 else two) for number in range(500))))
        await settled(ledger)
    assert statuses == {200: 100, 429: 400}
    assert len(upstream.bodies) == 100
    assert await account(ledger) == (100 * HALF, 0)
    assert await ledger.fetchval("SELECT sum(cost_usd) FROM calls") == 50


async def test_calls_that_cost_less_than_they_may_use_the_budget_up_and_never_pass_it(
    run: Run, with_upstream: dict[str, Any], ledger: asyncpg.Connection
) -> None:
    """Callers that repeat after 'budget_held' use the budget until less is left than the next call may cost."""
    async with run(**with_upstream, **WIDE, budgets={"total": 5}) as service:

        async def insist() -> None:
            while True:
                answer = await service.client.post(PATH, json={**BODY, "max_tokens": 900}, timeout=100)
                if answer.status_code == 429 and answer.json()["code"] == "budget_spent":
                    return
                assert answer.status_code == 200 or answer.json()["code"] == "budget_held"

        await asyncio.gather(*(insist() for _ in range(20)))
        await settled(ledger)
    spent, _ = await account(ledger)
    assert spent <= 10 * HALF < spent + 2 * HALF


async def test_held_and_spent_are_two_answers(
    run: Run, sdk: Sdk, upstream: FakeOpenAI, with_upstream: dict[str, Any], ledger: asyncpg.Connection
) -> None:
    """The SDK repeats a call after 'budget_held', and does not after 'budget_spent'."""
    upstream.script = [Fault("slow")]
    async with run(**with_upstream, **WIDE, budgets={"total": 0.6}) as service:
        slow = asyncio.ensure_future(service.client.post(PATH, json=BODY))

        async def held() -> bool:
            return (await account(ledger))[1] == HALF

        await until(held)
        with pytest.raises(openai.RateLimitError) as wait:
            await sdk(service).chat.completions.create(model="priced", messages=MESSAGES, max_tokens=500)
        slow.cancel()
        await asyncio.wait({slow})
        await settled(ledger)
        with pytest.raises(openai.RateLimitError) as spent:
            await sdk(service).chat.completions.create(model="priced", messages=MESSAGES, max_tokens=500)
    assert (wait.value.code, wait.value.response.headers["retry-after"]) == ("budget_held", "1")
    assert (spent.value.code, spent.value.response.headers["x-should-retry"]) == ("budget_spent", "false")
    assert "'total' of 0.6 USD has 0.5 spent" in spent.value.message


async def test_a_client_that_hangs_up_pays_what_was_written_and_frees_the_rest(
    run: Run, upstream: FakeOpenAI, with_upstream: dict[str, Any], ledger: asyncpg.Connection
) -> None:
    """A stream whose client hangs up stops the upstream, and is booked by what has arrived, not by what was held."""
    async with run(**with_upstream, **WIDE, budgets={"total": 50}) as service:
        await hang_up_in_a_stream(service, upstream, ledger)
    row = await ledger.fetchrow("SELECT status, cost_usd, cost_basis, prompt_tokens FROM calls")
    spent, held = await account(ledger)
    assert (row["status"], row["cost_basis"], row["prompt_tokens"], held) == ("cancelled", "bound", None, 0)
    assert 0 < spent < HALF
    assert row["cost_usd"] * 10**9 == spent


async def hang_up_in_a_stream(service: RunningService, upstream: FakeOpenAI, ledger: asyncpg.Connection) -> None:
    """Leave a stream after its first chunk, and wait until the call is booked."""
    upstream.script = [Fault("stall")]
    async with service.client.stream("POST", PATH, json={**BODY, "stream": True}) as answer:
        lines = answer.aiter_lines()  # one that nobody refers to is collected, and hangs up
        await anext(lines)
        assert await account(ledger) == (0, HALF)
    await asyncio.wait_for(upstream.hung_up.wait(), 60)
    await settled(ledger)


async def test_who_hangs_up_pays_for_thoughts_that_were_not_shown(
    run: Run, upstream: FakeOpenAI, with_upstream: dict[str, Any], ledger: asyncpg.Connection
) -> None:
    """What a model thought before its first word is in no chunk, so the call is charged at its bound."""
    profiles = {"model_profiles": {"priced": "openai-reasoning"}}
    async with run(**with_upstream, **WIDE, **profiles, budgets={"total": 50}) as service:
        await hang_up_in_a_stream(service, upstream, ledger)
    assert await account(ledger) == (HALF, 0)


@pytest.mark.parametrize(("received", "tokens"), [(None, 500), (0, 500), (10, 74), (1000, 500)])
async def test_a_stream_without_usage_is_charged_for_what_it_brought(received: int | None, tokens: int) -> None:
    """By its bytes and what may be under way; at the bound while nothing has come, since a model may have thought."""
    attempt = Attempt("p", "priced", Tokens(9, 500), received_bytes=received)
    assert attempt.bill(Prices(PRICE)) == (Decimal(tokens) / 1000, "bound")


async def test_a_stream_is_settled_by_its_last_chunk(
    run: Run, with_upstream: dict[str, Any], ledger: asyncpg.Connection
) -> None:
    """The usage of the last chunk is what is spent, also when the client never asked to see it."""
    async with run(**with_upstream, **WIDE, budgets={"total": 50}) as service:
        answer = await service.client.post(PATH, json={**BODY, "max_tokens": 800, "stream": True})
        await settled(ledger)
    assert answer.text.endswith("data: [DONE]\n\n")
    assert await account(ledger) == (HALF, 0)


@pytest.mark.parametrize(
    ("fault", "spent"), [(Fault(status=500), 0), (Fault(status=400), 0), (Fault("malformed"), HALF)], ids=str
)
async def test_a_failed_call_is_paid_only_where_the_upstream_may_have_worked(
    run: Run,
    upstream: FakeOpenAI,
    with_upstream: dict[str, Any],
    ledger: asyncpg.Connection,
    fault: Fault,
    spent: int,
) -> None:
    """A refusal costs nothing; an answer that cannot be read was made all the same, and counts for its bound."""
    upstream.script = [fault]
    async with run(**with_upstream, **WIDE, budgets={"total": 50}) as service:
        assert (await service.client.post(PATH, json=BODY)).status_code >= 500
        await settled(ledger)
    assert await account(ledger) == (spent, 0)


async def test_each_tenant_and_service_has_its_own_account(
    run: Run, with_upstream: dict[str, Any], ledger: asyncpg.Connection, issuer: TokenIssuer
) -> None:
    """One user's spending leaves the other's budget alone; a service that calls for a user spends the user's."""
    budgets = {"tenant:*": 0.5, "service:rag-service": 1.0}
    async with run(**with_upstream, **WIDE, budgets=budgets) as service:

        async def call(user: str) -> httpx.Response:
            token = issuer.sign({**issuer.user_claims(["llm:use"]), "sub": user})
            return await service.client.post(PATH, json=BODY, headers={"Authorization": f"Bearer {token}"})

        first, again, other = await call("ana"), await call("ana"), await call("eva")
        third = await call("luz")
        report = (await service.client.get(BUDGETS)).json()["data"]
        await settled(ledger)
    assert [one.status_code for one in (first, again, other, third)] == [200, 429, 200, 429]
    assert again.json()["details"]["account"] == "tenant:user:ana"
    assert third.json()["details"]["account"] == "service:rag-service"
    assert report["accounts"][-1]["account"] == "service:rag-service"
    assert report["accounts"][-1]["spent_usd"] + report["accounts"][-1]["held_usd"] == 1.0
    assert (report["accounts"][-1]["left_usd"], report["service"]) == (0, "rag-service")
    assert await account(ledger, "tenant:user:eva") == (HALF, 0)


async def test_a_call_on_a_users_behalf_is_the_users(
    run: Run, with_upstream: dict[str, Any], ledger: asyncpg.Connection, issuer: TokenIssuer, caller: TlsFiles
) -> None:
    """The exchanged token beside the service's decides the tenant; a forged or unexchanged one is refused."""
    async with run(**with_upstream, **WIDE) as service:
        thumbprint = thumbprint_of(caller)
        token = issuer.service_token("rag-service", "openai-service", ["llm:use"], thumbprint)
        exchanged = issuer.delegation("ana", "rag-service", "openai-service", thumbprint)
        machine = issuer.delegation("castor-account-1", "rag-service", "openai-service", thumbprint)
        unexchanged = issuer.sign({**issuer.user_claims([]), "sub": "ana"})
        for beside, status in (
            (f"Bearer {exchanged}", 200), (f"Bearer {machine}", 200), (f"Bearer {unexchanged}", 401),
            ("Bearer forged", 401), ("Bearer", 401), (exchanged, 401), ("", 401),
        ):  # fmt: skip
            headers = {"Authorization": f"Bearer {token}", "X-User-Authorization": beside}
            assert (await service.client.post(PATH, json=BODY, headers=headers)).status_code == status, beside
        own = {"Authorization": f"Bearer {token}"}
        assert (await service.client.post(PATH, json=BODY, headers=own)).status_code == 200
        direct = {"Authorization": f"Bearer {issuer.machine_token('castor-account-1', ['llm:use'])}"}
        assert (await service.client.post(PATH, json=BODY, headers=direct)).status_code == 200
    rows = await ledger.fetch("SELECT tenant, service, principal FROM calls ORDER BY called_at")
    assert [tuple(row) for row in rows] == [
        ("user:ana", "rag-service", "service:rag-service"),
        ("service_account:castor-account-1", "rag-service", "service:rag-service"),
        ("service:rag-service", "rag-service", "service:rag-service"),
        ("service_account:castor-account-1", "rag-service", "service_account:castor-account-1"),
    ]


async def test_a_budget_wants_a_price_and_a_bound(
    run: Run, upstream: FakeOpenAI, with_upstream: dict[str, Any], ledger: asyncpg.Connection
) -> None:
    """Where a budget applies, a model without a price is refused, a free one is not, and every answer is bounded."""
    table = {**PRICE, "gratis": (0.0, 0.0)}
    unbounded = {"messages": MESSAGES}
    options = {**with_upstream, **WIDE, "price_table": table, "budgets": {"total": 50}, "completion_token_limit": 700}
    async with run(**options) as service:
        unknown = await service.client.post(PATH, json={**unbounded, "model": "unknown"})
        free = await service.client.post(PATH, json={**unbounded, "model": "gratis"})
        priced = await service.client.post(PATH, json={**unbounded, "model": "priced"})
        await settled(ledger)
    assert (unknown.status_code, unknown.json()["code"]) == (409, "price_unknown")
    assert [free.status_code, priced.status_code] == [200, 200]
    assert ["max_tokens" in body for body in upstream.bodies] == [False, True]
    assert upstream.bodies[1]["max_tokens"] == 700


async def test_what_cannot_be_checked_is_not_spent(
    run: Run, upstream: FakeOpenAI, with_upstream: dict[str, Any], postgres_server: EmbeddedPostgres
) -> None:
    """Without PostgreSQL a call under a budget gets 503 and no upstream is asked; it works again by itself."""
    async with run(**with_upstream, **WIDE, budgets={"total": 1000}, database_timeout_seconds=2) as service:
        postgres_server.stop()
        refused = await service.client.post(PATH, json=BODY)
        asked = len(upstream.bodies)
        postgres_server.start()

        async def works() -> bool:
            return (await service.client.post(PATH, json=BODY)).status_code == 200

        await until(works)
    assert (refused.status_code, refused.json()["code"], asked) == (503, "database_unavailable", 0)


async def test_costs_are_exact(run: Run, with_upstream: dict[str, Any], ledger: asyncpg.Connection) -> None:
    """Ledger and account agree to the nano-dollar also for prices that a float cannot represent."""
    table = {"priced": (0.07, 0.28)}
    async with run(**{**with_upstream, **WIDE, "price_table": table}, budgets={"total": 1}) as service:
        for _ in range(3):
            await service.client.post(PATH, json=BODY)
        await settled(ledger)
    assert await ledger.fetchval("SELECT sum(cost_usd) FROM calls") == Decimal("0.00063")
    assert await account(ledger) == (630_000, 0)
