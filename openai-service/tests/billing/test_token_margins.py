"""Providers that count more tokens than were sent: the cost is booked and reported, and later holds include it."""

from __future__ import annotations

import asyncio
from typing import Any

import asyncpg
import pytest
from fake_openai import FakeOpenAI
from openai_support import Run

from castor_chassis.testing import RunningService, until
from openai_service.billing.meter import Attempt
from openai_service.billing.prices import Tokens
from openai_service.billing.token_margins import TokenMargins
from openai_service.metrics import ABOVE_HOLD, ABOVE_HOLD_USD
from openai_service.text.redaction import Redaction

PATH = "/v1/openai/chat/completions"
# A prompt token is a thousandth of a dollar here, and nothing else costs.
PRICE = {"priced": (1000.0, 0.0)}
BODY = {"model": "priced", "messages": [{"role": "user", "content": "hola"}], "max_tokens": 5}
BYTES = 80
"""At least what the service bounds BODY's prompt by; the fake counts 1000."""
shared = pytest.mark.asyncio(loop_scope="module")


async def spent(ledger: asyncpg.Connection, calls: int) -> float:
    """Return the USD that are spent once ``calls`` calls are settled."""

    async def settled() -> bool:
        held = await ledger.fetchval("SELECT count(*) FROM budget_holds")
        return bool(held == 0 and await ledger.fetchval("SELECT count(*) FROM calls") == calls)

    await until(settled)
    return float(await ledger.fetchval("SELECT spent_nano FROM budget_accounts WHERE account = 'total'") / 1e9)


async def ask(service: RunningService, **more: Any) -> int:
    """Make one call and return its status."""
    return (await service.client.post(PATH, json={**BODY, **more})).status_code


def counted(metric: Any) -> float:
    """Return the metric's value for the provider of these tests."""
    return float(metric.labels("sly")._value.get())


@shared
async def test_the_overshoot_is_one_call_and_is_said(
    run: Run, upstream: FakeOpenAI, ledger: asyncpg.Connection, capsys: pytest.CaptureFixture[str]
) -> None:
    """A first call that counts 1000 hidden tokens is booked whole, though more than the budget; a metric and a log line
    say by how much, and nothing is let through after it."""
    before = counted(ABOVE_HOLD), counted(ABOVE_HOLD_USD)
    sly = {"name": "sly", "base_url": upstream.url}
    async with run(providers=[sly], price_table=PRICE, budgets={"total": 0.5}, allow_degraded=False) as service:
        assert await ask(service) == 200
        assert await spent(ledger, 1) == 1.0
        assert [await ask(service) for _ in range(3)] == [429] * 3
    assert len(upstream.bodies) == 1
    assert counted(ABOVE_HOLD) - before[0] == 1
    assert 1 - BYTES / 1000 * 2 < counted(ABOVE_HOLD_USD) - before[1] < 1
    said = capsys.readouterr().out
    assert "settled_above_hold" in said
    assert "hidden_prompt_tokens" in said


@shared
@pytest.mark.parametrize("stream", [False, True], ids=["whole", "stream"])
async def test_what_was_learned_is_held_from_then_on(
    run: Run, upstream: FakeOpenAI, ledger: asyncpg.Connection, stream: bool
) -> None:
    """After one call has shown the margin, 20 concurrent calls do not exceed a budget for three."""
    sly = {"name": "sly", "base_url": upstream.url}
    options = {"price_table": PRICE, "budgets": {"total": 4.5}, "allow_degraded": False}
    async with run(providers=[sly], **options) as service:
        assert await ask(service, stream=stream) == 200
        assert await spent(ledger, 1) == 1.0
        statuses = await asyncio.gather(*(ask(service, stream=stream, seed=number) for number in range(20)))
        assert await spent(ledger, 21) == 1 + statuses.count(200)
    assert set(statuses) == {200, 429}
    assert statuses.count(200) == 3


@shared
async def test_a_configured_margin_holds_from_the_first_call(
    run: Run, upstream: FakeOpenAI, ledger: asyncpg.Connection
) -> None:
    """With 'hidden_prompt_tokens' the first 20 concurrent calls do not exceed the budget either."""
    before = counted(ABOVE_HOLD)
    sly = {"name": "sly", "base_url": upstream.url, "hidden_prompt_tokens": 1000}
    options = {"price_table": PRICE, "budgets": {"total": 3.5}, "allow_degraded": False}
    async with run(providers=[sly], **options) as service:
        statuses = await asyncio.gather(*(ask(service, seed=number) for number in range(20)))
        assert await spent(ledger, 20) == statuses.count(200) <= 3
    assert statuses.count(200) >= 1
    assert counted(ABOVE_HOLD) == before


@shared
async def test_what_redaction_adds_is_held_too(run: Run, upstream: FakeOpenAI, ledger: asyncpg.Connection) -> None:
    """A placeholder is longer than a short handle: the bound is that of what leaves, so no call passes its hold."""
    text = " ".join(f"@a{number}" for number in range(300))
    counts = len(Redaction(handles=True).redact(text))
    upstream.usage = {"prompt_tokens": counts, "completion_tokens": 1, "total_tokens": counts + 1}
    before = counted(ABOVE_HOLD)
    sly = {"name": "sly", "base_url": upstream.url}
    async with run(providers=[sly], price_table=PRICE, budgets={"total": 50}, redact="handles") as service:
        assert await ask(service, messages=[{"role": "user", "content": text}]) == 200
        await spent(ledger, 1)
    assert "[USUARIO_300]" in upstream.bodies[0]["messages"][0]["content"]
    assert counted(ABOVE_HOLD) == before


@shared
@pytest.mark.parametrize("counts", [-5, 10**12, "many", 1.5])
async def test_counts_that_cannot_be_are_charged_at_the_bound(
    run: Run, upstream: FakeOpenAI, ledger: asyncpg.Connection, counts: Any
) -> None:
    """A stream with an implausible usage is complete, is booked by its bound, and does not change the margin."""
    upstream.usage = {"prompt_tokens": counts, "completion_tokens": 1, "total_tokens": 1}
    sly = {"name": "sly", "base_url": upstream.url}
    async with run(providers=[sly], price_table=PRICE, budgets={"total": 50}) as service:
        answer = await service.client.post(PATH, json={**BODY, "stream": True})
        assert 0 < await spent(ledger, 1) < 1
        assert await ask(service, stream=True) == 200
        assert 0 < await spent(ledger, 2) < 1
    assert answer.text.endswith("data: [DONE]\n\n")
    assert await ledger.fetchval("SELECT bool_and(cost_basis = 'bound' AND prompt_tokens IS NULL) FROM calls")


def seen(margin: int, bound: int, used: int, model: str = "m") -> Attempt:
    """Return an attempt whose prompt was bounded with a margin and counted."""
    return Attempt("p", model, Tokens(bound + margin, 1), margin, Tokens(used, 1))


def test_margins_grow_to_what_was_seen_and_no_further() -> None:
    """Concurrent calls widen the margin once, calls within their bound do not, and its size is bounded."""
    margins = TokenMargins({"p": 10})
    assert (margins.of("p", "m"), margins.of("q", "m")) == (10, 0)
    for attempt in (seen(10, 100, 160), seen(10, 100, 160), seen(10, 100, 120), seen(60, 100, 160)):
        margins.observe(attempt)
    assert (margins.of("p", "m"), margins.of("p", "other")) == (60, 10)
    margins.observe(seen(60, 100, 500_000_000))
    assert margins.of("p", "m") == 1_000_000


def test_margins_of_names_are_bounded() -> None:
    """However many models answer, memory holds a thousand margins, the newest ones."""
    margins = TokenMargins({})
    for number in range(1500):
        margins.observe(seen(0, 10, 20, f"m{number}"))
    assert margins.of("p", "m1499") == 10
    assert margins.of("p", "m0") == 0
