"""The ledger: no reservation beyond the budget, none that outlives its lease, each post billed once a UTC day."""

from __future__ import annotations

import asyncio
import signal
import sys
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import UTC, date, datetime
from typing import Any

import asyncpg
import pytest
import pytest_asyncio

from castor_chassis import Postgres
from castor_chassis.storage.migrations import migrate
from twitter_service.billing.budget import (
    Amount,
    BudgetLimits,
    LedgerEntry,
    Payer,
    Prices,
    check,
    next_start,
    statuses,
)
from twitter_service.billing.ledger import Ledger
from twitter_service.billing.repository import LedgerRepository
from twitter_service.errors import BudgetSpent

ANA = Payer("user:ana", "analysis")
EVA = Payer("user:eva", "analysis")
TRENDS = Payer("service:trending-service", "trending")
PRICES = Prices(post_usd=0.005, user_usd=0.010)
ANY_SHARE = {"analysis": 1.0, "trending": 1.0}


def limits(**given: Any) -> BudgetLimits:
    usual: dict[str, Any] = {"daily": (None, None), "monthly": (None, None)}
    return BudgetLimits(**{**usual, "purpose_shares": ANY_SHARE, "tenant_share": 1.0, **given})


@pytest_asyncio.fixture
async def budget_url(postgres_url: str) -> AsyncIterator[str]:
    """URL of a database whose ledger is empty."""
    await migrate(postgres_url, "twitter_service")
    connection = await asyncpg.connect(postgres_url)
    await connection.execute("TRUNCATE x_spending, x_organisation_spending, x_reservations, x_billed")
    await connection.close()
    yield postgres_url


@asynccontextmanager
async def ledger(url: str, lease_seconds: float = 30, **given: Any) -> AsyncIterator[Ledger]:
    postgres = Postgres(url, size=12, timeout_seconds=60)
    await postgres.open()
    yield Ledger(LedgerRepository(postgres, lease_seconds=lease_seconds), limits(**given), PRICES)
    await postgres.close()


async def outcomes(asks: list[Any]) -> tuple[int, int]:
    results = await asyncio.gather(*asks, return_exceptions=True)
    refused = [result for result in results if isinstance(result, BudgetSpent)]
    assert all(result is None for result in results if not isinstance(result, BudgetSpent)), results
    return len(results) - len(refused), len(refused)


async def test_exactly_as_many_pass_as_the_budget_holds(budget_url: str) -> None:
    """Of 1,000 reservations at once against a budget for 100, exactly 100 pass."""
    async with ledger(budget_url, daily=(100, None)) as book:
        assert await outcomes([book.reserve(f"r{n}", ANA, 1) for n in range(1000)]) == (100, 900)
        assert (await book.statuses(ANA))[0].reserved == Amount(100, 100 * 5000)


async def test_two_processes_share_the_budget(budget_url: str) -> None:
    """Reservations of several pools, as replicas have them, are checked against the same rest."""
    async with ledger(budget_url, daily=(70, None)) as one, ledger(budget_url, daily=(70, None)) as two:
        asks = [book.reserve(f"{name}{n}", ANA, 7) for n in range(30) for name, book in (("a", one), ("b", two))]
        assert await outcomes(asks) == (10, 50)


async def test_asking_again_reserves_once(budget_url: str) -> None:
    """A reservation that is repeated holds its amount once; releasing gives it back, twice changes nothing."""
    async with ledger(budget_url, daily=(100, None)) as book:
        for _ in range(3):
            await book.reserve("same", ANA, 100)
        with pytest.raises(BudgetSpent):
            await book.reserve("other", ANA, 1)
        await book.release("same")
        await book.release("same")
        await book.reserve("other", ANA, 100)


_CHILD = """
import asyncio, sys
from castor_chassis import Postgres
from twitter_service.billing.budget import BudgetLimits, Payer, Prices
from twitter_service.billing.ledger import Ledger
from twitter_service.billing.repository import LedgerRepository

async def main():
    postgres = Postgres(sys.argv[1], size=4, timeout_seconds=60)
    await postgres.open()
    limits = BudgetLimits((100, None), (None, None), {"analysis": 1.0}, 1.0)
    repository = LedgerRepository(postgres, lease_seconds=float(sys.argv[2]))
    book = Ledger(repository, limits, Prices(0.005, 0.01))
    for n in range(60):
        await book.reserve(f"child{n}", Payer("user:ana", "analysis"), 1)
    await book.charge("child0", Payer("user:ana", "analysis"), [1])
    print("held", flush=True)
    while True:
        await asyncio.gather(*(book.reserve(f"child{n}", Payer("user:ana", "analysis"), 1) for n in range(60)))

asyncio.run(main())
"""


async def test_reservations_of_a_killed_process_lapse(budget_url: str) -> None:
    """After kill -9 in the midst of reserving, reservations end with their lease; what was spent stays spent."""
    lease = 3.0
    child = await asyncio.create_subprocess_exec(
        sys.executable, "-c", _CHILD, budget_url, str(lease), stdout=asyncio.subprocess.PIPE
    )
    assert child.stdout is not None
    assert (await asyncio.wait_for(child.stdout.readline(), 60)).strip() == b"held"
    child.send_signal(signal.SIGKILL)
    killed_at = time.monotonic()
    await child.wait()
    async with ledger(budget_url, lease, daily=(100, None)) as book:
        if time.monotonic() - killed_at < lease / 2:
            with pytest.raises(BudgetSpent):
                await book.reserve("mine", ANA, 99)
        async with asyncio.timeout(30):
            while (await book.statuses(ANA))[0].reserved.posts:
                await asyncio.sleep(0.1)
        assert (await book.statuses(ANA))[0].spent == Amount(1, 5000)
        await book.reserve("mine", ANA, 99)
        with pytest.raises(BudgetSpent):
            await book.reserve("more", ANA, 1)


async def test_a_post_is_billed_once_a_day(budget_url: str) -> None:
    """Reading a post again on the same UTC day costs nothing, whoever reads it, and still lowers the reservation."""
    async with ledger(budget_url, daily=(100, None)) as book:
        await book.reserve("a", ANA, 50)
        first = await book.charge("a", ANA, [1, 2, 3, 3])
        again = await book.charge("a", EVA, [2, 3, 4], user_ids=[9, 9])
        assert (first.read, first.billed) == (3, Amount(3, 15_000))
        assert (again.read, again.billed) == (3, Amount(1, 5_000 + 10_000))
        day = (await book.statuses(ANA))[0]
        assert (day.spent, day.reserved) == (Amount(4, 30_000), Amount(44, 44 * 5000))


async def test_charges_that_share_posts_at_once_bill_each_once(budget_url: str) -> None:
    """Concurrent charges of the same posts in any order end, and together bill each post once."""
    async with ledger(budget_url) as book:
        ids = list(range(1, 101))
        await asyncio.gather(*(book.charge(f"k{n}", ANA, ids[n:] + ids[:n]) for n in range(40)))
        assert (await book.statuses(ANA))[0].spent == Amount(100, 500_000)


async def test_purposes_and_tenants_are_apart(budget_url: str) -> None:
    """Each purpose has its share of the whole, each tenant its share of a purpose; the whole binds all."""
    shares = {"analysis": 0.6, "trending": 0.5}
    async with ledger(budget_url, daily=(100, None), purpose_shares=shares, tenant_share=0.5) as book:
        await book.reserve("a", ANA, 30)
        with pytest.raises(BudgetSpent, match="user:ana for analysis"):
            await book.reserve("b", ANA, 1)
        await book.reserve("c", EVA, 30)
        with pytest.raises(BudgetSpent, match="budget of analysis"):
            await book.reserve("d", Payer("user:tea", "analysis"), 1)
        await book.reserve("e", TRENDS, 25)
        await book.reserve("f", Payer("user:x", "trending"), 15)
        with pytest.raises(BudgetSpent, match="the whole account"):
            await book.reserve("g", Payer("user:y", "trending"), 1)


async def test_an_organisation_has_its_share(budget_url: str) -> None:
    """All callers of one share it, whatever they do; a charge without a reservation counts, and others have theirs."""
    acme, luz, alba = (
        Payer(f"user:{name}", "analysis", org) for name, org in (("ana", "acme"), ("luz", "acme"), ("eva", "alba"))
    )
    shares = {"*": 0.4, "alba": 0.6}
    async with ledger(budget_url, daily=(100, None), organisation_shares=shares) as book:
        await book.charge("unreserved", luz, [*range(30)])
        await book.reserve("a", acme, 10)
        with pytest.raises(BudgetSpent, match="budget of acme for analysis"):
            await book.reserve("b", luz, 1)
        await book.reserve("c", alba, 60)
        await book.release("c")
        # The platform's own, which has no share here, is bounded by the whole account and by "*".
        assert await outcomes([book.reserve(f"{n}", ANA, 1) for n in range(50)]) == (40, 10)
        # Of another purpose an organisation has its share as well.
        await book.reserve("d", replace(acme, purpose="trending"), 20)


async def test_dollars_bind_as_posts_do(budget_url: str) -> None:
    """A budget in dollars refuses what the price table makes too dear, by month as well."""
    async with ledger(budget_url, monthly=(None, 0.05)) as book:
        await book.reserve("a", ANA, 10)
        with pytest.raises(BudgetSpent) as caught:
            await book.reserve("b", ANA, 1)
        assert caught.value.details["period"] == "monthly"
        assert caught.value.details["unit"] == "dollars"
        assert caught.value.status == 402


@pytest.mark.parametrize(
    ("today", "daily", "monthly"),
    [
        (date(2026, 1, 31), "2026-02-01", "2026-02-01"),
        (date(2026, 12, 31), "2027-01-01", "2027-01-01"),
        (date(2028, 2, 28), "2028-02-29", "2028-03-01"),
    ],
)
def test_periods_begin_in_utc(today: date, daily: str, monthly: str) -> None:
    """Days and months end at midnight UTC, also at the ends of months and years."""
    assert next_start("daily", today) == datetime.fromisoformat(daily).replace(tzinfo=UTC)
    assert next_start("monthly", today) == datetime.fromisoformat(monthly).replace(tzinfo=UTC)


def test_what_was_spent_earlier_counts_for_the_month_alone() -> None:
    """Yesterday's spending is part of the month's and not of the day's."""
    entries = [LedgerEntry("analysis", "tenant", "user:ana", today, Amount(10, 0), Amount()) for today in (True, False)]
    where = statuses(entries, ANA, limits(daily=(15, None), monthly=(30, None)), date(2026, 5, 2))
    assert {(s.level, s.period): s.left[0] for s in where if s.level == "all"} == {
        ("all", "daily"): 5,
        ("all", "monthly"): 10,
    }
    check(Amount(5), where)
    with pytest.raises(BudgetSpent):
        check(Amount(6), where)
