"""Preallocated holds: fewer statements, the same limits, and nothing held twice or without end."""

from __future__ import annotations

import asyncio
import uuid
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import asyncpg
import pytest
import pytest_asyncio
from fake_openai import FakeOpenAI
from openai_support import Run

from castor_chassis import Postgres
from castor_chassis.testing import until
from openai_service.billing import preallocation
from openai_service.billing.budget import Budget, Limits
from openai_service.billing.budget_repository import BudgetRepository
from openai_service.billing.money import NANO, month_of
from openai_service.billing.payer import Payer
from openai_service.billing.preallocation import Allocation
from openai_service.billing.repository import Call, Entry, LedgerRepository
from openai_service.errors import BudgetHeld, BudgetSpent

pytestmark = pytest.mark.asyncio(loop_scope="module")

PATH = "/v1/openai/chat/completions"
PAYER = Payer("user:ana", "ingress")
NOW = datetime(2026, 5, 29, 12, tzinfo=UTC)


@pytest.fixture(autouse=True)
def slow_calls_follow_closely(monkeypatch: pytest.MonkeyPatch) -> None:
    """Calls that follow one another do so on a slow machine too."""
    monkeypatch.setattr(preallocation, "_BUSY_SECONDS", 60)


@pytest_asyncio.fixture(loop_scope="module")
async def pool(postgres_url: str, ledger: asyncpg.Connection) -> AsyncIterator[Postgres]:
    """The service's connections to its database, the ledger empty."""
    assert not ledger.is_closed()
    postgres = Postgres(postgres_url)
    await postgres.open()
    yield postgres
    await postgres.close()


class Replica:
    """A budget and its unused preallocations, as one replica has them."""

    def __init__(self, postgres: Postgres, limit_usd: float, **options: Any) -> None:
        given = {"lease_seconds": 3600, "ahead_calls": 8, "ahead_seconds": 30, **options}
        self.budget = Budget(BudgetRepository(postgres), Limits({"total": limit_usd}), **given)
        self.store = LedgerRepository(postgres)
        self.unused: list[Allocation] = []
        self.budget.on_unused = self.unused.append

    async def hold(self) -> Allocation:
        """Hold one dollar."""
        part = await self.budget.hold(PAYER, NANO, NOW, lambda _hold: None)
        assert part is not None
        return part

    async def give_back(self) -> None:
        """Give back everything that is preallocated."""
        self.budget.end_preallocations()
        await self.store.release_unused(self.unused)


def entry(part: Allocation, nano: int) -> Entry:
    """Return a call that spent ``nano`` and ends ``part``."""
    call = Call(
        id=uuid.uuid4(), called_at=NOW, request_id="r", principal="user:ana", operation="chat", requested_model="m",
        provider="p", model="m", prompt_tokens=1, completion_tokens=1, cost_usd=Decimal(nano) / NANO, latency_ms=1,
        streamed=False, degraded=False, status="ok", fallback_reason=None,
    )  # fmt: skip
    return Entry(call, month_of(NOW), ("total",), nano, (part,))


async def account(ledger: asyncpg.Connection) -> tuple[int, int]:
    """Return (spent, held) in nano-USD."""
    return tuple(await ledger.fetchrow("SELECT spent_nano, held_nano FROM budget_accounts WHERE account = 'total'"))


async def test_two_replicas_give_out_exactly_the_limit(pool: Postgres, ledger: asyncpg.Connection) -> None:
    """1600 calls of a dollar at two replicas, limit 1500: exactly 1500 are allowed, whatever is preallocated."""
    replicas = [Replica(pool, 1500), Replica(pool, 1500)]

    async def insist(replica: Replica) -> bool:
        for _ in range(20):
            try:
                await replica.hold()
            except BudgetHeld:
                await replica.store.release_unused(replica.unused)
                await asyncio.sleep(0.01)
            else:
                return True
        return False

    got = 0
    for start in range(0, 1600, 100):
        got += sum(await asyncio.gather(*(insist(replicas[number % 2]) for number in range(start, start + 100))))
        assert (await account(ledger))[1] <= 1500 * NANO
    assert got == 1500
    assert await account(ledger) == (0, 1500 * NANO)


async def test_calls_in_a_row_share_a_statement(pool: Postgres, ledger: asyncpg.Connection) -> None:
    """In a large budget 91 calls need 11 holds; they cover all calls, and the rest is given back."""
    replica = Replica(pool, 1_000_000)
    parts = [await replica.hold() for _ in range(91)]
    assert await ledger.fetchval("SELECT count(*) FROM budget_holds") == len({part.hold for part in parts}) == 11
    assert (await account(ledger))[1] >= 91 * NANO
    await replica.give_back()
    assert await account(ledger) == (0, 91 * NANO)


async def test_nothing_is_held_ahead_of_a_scarce_budget_or_a_rare_call(
    pool: Postgres, ledger: asyncpg.Connection
) -> None:
    """With less than a thousand times the amount left, and for a single call, nothing is preallocated."""
    scarce, rare = Replica(pool, 900), Replica(pool, 1_000_000)
    for number in range(1, 20):
        await scarce.hold()
        assert (await account(ledger))[1] == number * NANO
    await rare.hold()
    assert (await account(ledger))[1] == 20 * NANO


async def test_settling_and_giving_back_twice_count_once(pool: Postgres, ledger: asyncpg.Connection) -> None:
    """A write that is repeated after an unknown outcome neither spends twice nor releases other calls' money."""
    replica = Replica(pool, 1_000_000)
    parts = [await replica.hold() for _ in range(6)]
    assert len({part.hold for part in parts}) == 2
    entries = [entry(part, NANO // 2) for part in parts[1:4]]
    for _ in range(3):
        await replica.store.settle(entries)
        await replica.give_back()
    assert await account(ledger) == (3 * NANO // 2, 3 * NANO)
    await replica.store.settle([*entries, *(entry(part, 0) for part in (parts[0], *parts[4:]))])
    assert await account(ledger) == (3 * NANO // 2, 0)
    assert await ledger.fetchval("SELECT count(*) FROM budget_holds") == 0


async def test_a_dead_replicas_advance_lapses_with_its_lease(pool: Postgres, ledger: asyncpg.Connection) -> None:
    """A preallocation of a dead replica expires with its lease; a call of it that settles later is booked."""
    dead, alive = Replica(pool, 9000, lease_seconds=0.5), Replica(pool, 9000)
    parts = [await dead.hold() for _ in range(3)]
    assert (await account(ledger))[1] == (2 + 8) * NANO

    async def lapsed() -> bool:
        await alive.budget.release_expired()
        return await account(ledger) == (0, 0)

    await until(lapsed)
    await dead.store.settle([entry(parts[2], NANO)])
    await dead.give_back()
    assert await account(ledger) == (NANO, 0)


async def test_an_advance_is_not_used_after_its_time(pool: Postgres, ledger: asyncpg.Connection) -> None:
    """After its seconds the rest is given back, and the next call makes a hold of its own."""
    replica = Replica(pool, 1_000_000, ahead_seconds=2)
    first = [await replica.hold() for _ in range(3)]

    async def given_back() -> bool:
        return bool(replica.unused)

    await until(given_back)
    assert replica.unused == [Allocation(first[1].hold, 7 * NANO)]
    later = await replica.hold()
    assert later.hold not in {part.hold for part in first}
    await replica.store.release_unused(replica.unused)
    assert (await account(ledger))[1] >= 4 * NANO


async def test_the_service_books_every_call_and_keeps_nothing(
    run: Run, upstream: FakeOpenAI, with_upstream: dict[str, Any], ledger: asyncpg.Connection
) -> None:
    """200 calls at once and in a row are spent to the nano-dollar, and when the service stops nothing is held."""
    body = {"model": "priced", "messages": [{"role": "user", "content": "hola"}], "max_tokens": 500}
    options = {"price_table": {"priced": (0.0, 1.0)}, "budgets": {"total": 100}, "allow_degraded": False}
    async with run(**with_upstream, **options) as service:
        for _ in range(10):
            answers = await asyncio.gather(*(service.client.post(PATH, json=body) for _ in range(20)))
            assert {answer.status_code for answer in answers} == {200}
    assert len(upstream.bodies) == 200
    assert await account(ledger) == (200 * 500_000, 0)
    assert await ledger.fetchval("SELECT count(*) FROM budget_holds") == 0


async def test_spent_is_spent(pool: Postgres, ledger: asyncpg.Connection) -> None:
    """A spent budget refuses calls, whatever was preallocated before."""
    replica = Replica(pool, 1500)
    parts = [await replica.hold() for _ in range(20)]
    await replica.give_back()
    await replica.store.settle([entry(part, 75 * NANO) for part in parts])
    assert await account(ledger) == (1500 * NANO, 0)
    with pytest.raises(BudgetSpent):
        await replica.hold()
