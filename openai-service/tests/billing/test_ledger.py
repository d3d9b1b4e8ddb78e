"""The ledger: a row per call, exact costs, and no request that waits for it or fails with it."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID, uuid4

import asyncpg
import pytest
from fake_openai import FakeOpenAI, Fault
from openai_support import Run

from castor_chassis import DatabaseUnavailable, Postgres
from castor_chassis.testing import until
from castor_devstack.stack.postgres import EmbeddedPostgres
from openai_service.billing.budget import Budget, Limits
from openai_service.billing.budget_repository import BudgetRepository
from openai_service.billing.ledger import Ledger
from openai_service.billing.ledger_writer import LedgerWriter
from openai_service.billing.preallocation import Allocation
from openai_service.billing.prices import Prices
from openai_service.billing.repository import Call, Entry, LedgerRepository
from openai_service.billing.retention import LedgerRetention
from openai_service.billing.token_margins import TokenMargins
from openai_service.metrics import LEDGER_DROPPED

pytestmark = pytest.mark.asyncio(loop_scope="module")

CHAT, EMBEDDINGS, USAGE = "/v1/openai/chat/completions", "/v1/openai/embeddings", "/v1/openai/usage"
BODY = {"model": "gpt-4o-mini", "messages": [{"role": "user", "content": "hola"}]}
PRICES = Prices({"gpt-4o-mini": (0.15, 0.60), "gpt-4o": (2.50, 10.00)})


def dropped(reason: str) -> float:
    """Rows lost so far."""
    value: float = LEDGER_DROPPED.labels(reason)._value.get()
    return value


async def test_each_call_is_one_row(
    run: Run, upstream: FakeOpenAI, with_upstream: dict[str, Any], ledger: asyncpg.Connection
) -> None:
    """Answers, streams, fallbacks, refusals and embeddings are each accounted for with tokens, cost and outcome."""
    upstream.script = [Fault("none"), Fault("none"), Fault(status=500), Fault(status=400)]
    async with run(**with_upstream) as service:
        for body in (BODY, {**BODY, "stream": True}, BODY, BODY):
            answer = await service.client.post(CHAT, json=body, headers={"X-Request-ID": "request-1234"})
        await service.client.post(EMBEDDINGS, json={"model": "unpriced", "input": "una frase"})
    rows = await ledger.fetch("SELECT * FROM calls ORDER BY called_at")
    assert answer.status_code == 502
    seen = [(r["provider"], r["model"], r["status"], r["streamed"], r["degraded"], r["fallback_reason"]) for r in rows]
    assert seen == [
        ("openai", "gpt-4o-mini", "ok", False, False, None),
        ("openai", "gpt-4o-mini", "ok", True, False, None),
        ("extractive", "extractive", "ok", False, True, "upstream_unavailable"),
        ("openai", "gpt-4o-mini", "upstream_refused", False, False, None),
        ("openai", "unpriced", "ok", False, False, None),
    ]
    assert [r["cost_usd"] for r in rows] == [Decimal("0.00045"), Decimal("0.00045"), 0, 0, None]
    assert [(r["prompt_tokens"], r["completion_tokens"]) for r in rows[:2]] == [(1000, 500)] * 2
    assert {r["request_id"] for r in rows[:4]} == {"request-1234"}
    assert all(r["principal"].startswith("user:") and r["latency_ms"] > 0 for r in rows)


async def test_usage_sums_per_day_and_model(
    run: Run, with_upstream: dict[str, Any], ledger: asyncpg.Connection
) -> None:
    """The report adds up the ledger, and a time range cuts it at its ends."""
    async with run(**with_upstream) as service:
        for _ in range(3):
            await service.client.post(CHAT, json=BODY)
        await service.client.post(CHAT, json={**BODY, "model": "extractive"})

        async def stored() -> bool:
            return await ledger.fetchval("SELECT count(*) FROM calls") == 4

        await until(stored)
        await ledger.execute("UPDATE calls SET called_at = '2026-05-31T23:59:59.9Z' WHERE provider = 'extractive'")
        await ledger.execute("UPDATE calls SET called_at = '2026-06-01T00:00:00Z' WHERE provider = 'openai'")
        spans = [("2026-05-01", "2026-07-01"), ("2026-06-01", "2026-07-01"), ("2026-05-01", "2026-06-01")]
        reports = [
            (
                await service.client.get(USAGE, params={"since": f"{since}T00:00:00Z", "until": f"{until_}T00:00:00Z"})
            ).json()
            for since, until_ in spans
        ]
    both, june, may = (report["data"]["items"] for report in reports)
    assert both == may + june
    assert [(item["date"], item["model"], item["calls"]) for item in both] == [
        ("2026-05-31", "extractive", 1),
        ("2026-06-01", "gpt-4o-mini", 3),
    ]
    assert (june[0]["prompt_tokens"], june[0]["completion_tokens"]) == (3000, 1500)
    assert june[0]["cost_usd"] == reports[0]["meta"]["cost_usd"] == pytest.approx(0.00135, abs=1e-12)
    assert (may[0]["degraded"], may[0]["cost_usd"]) == (1, 0)


async def test_a_range_is_of_days_or_of_moments_with_an_offset(run: Run) -> None:
    """A time without its offset, and a range that ends before it begins, are refused; a day is one of Bogota."""
    reversed_range = {"since": "2026-06-02T00:00:00Z", "until": "2026-06-01T00:00:00Z"}
    async with run() as service:
        vague = await service.client.get(USAGE, params={"since": "2026-06-01T00:00:00"})
        day = await service.client.get(USAGE, params={"since": "2026-06-01", "until": "2026-06-01"})
        backwards = await service.client.get(USAGE, params=reversed_range)
    assert (vague.status_code, backwards.status_code) == (422, 422)
    assert (day.json()["meta"]["since"], day.json()["meta"]["until"]) == (
        "2026-06-01T05:00:00.000Z",
        "2026-06-02T05:00:00.000Z",
    )


async def test_without_postgres_answers_go_on_and_rows_arrive_later(
    run: Run, postgres_server: EmbeddedPostgres, postgres_url: str
) -> None:
    """During an outage every request succeeds; afterwards each is in the ledger exactly once."""
    async with run() as service:
        postgres_server.stop()
        ids = {f"outage-{number}" for number in range(5)}
        for request_id in ids:
            answer = await service.client.post(CHAT, json=BODY, headers={"X-Request-ID": request_id})
            assert answer.status_code == 200
        assert (await service.client.get(USAGE)).status_code == 503
        postgres_server.start()
        connection = await asyncpg.connect(postgres_url)

        async def stored() -> bool:
            rows = await connection.fetch("SELECT request_id FROM calls WHERE request_id LIKE 'outage-%'")
            return sorted(row[0] for row in rows) == sorted(ids)

        await until(stored)
        await connection.close()


class Store:
    """Keeps rows in memory; can be away, or refuse."""

    def __init__(self) -> None:
        self.rows: list[Call] = []
        self.failure: Exception | None = None
        self.unwanted = ""

    async def settle(self, entries: Sequence[Entry]) -> None:
        """See ``EntryRepository``."""
        if self.failure is not None:
            raise self.failure
        if any(entry.call.requested_model == self.unwanted for entry in entries):
            raise asyncpg.DataError("a bad row")
        self.rows += [entry.call for entry in entries]

    async def release_holds(self, holds: Sequence[UUID]) -> None:
        """See ``EntryRepository``; nothing is held here."""

    async def release_unused(self, unused: Sequence[Allocation]) -> None:
        """See ``EntryRepository``; nothing is held here."""


def accounting(store: Store, capacity: int) -> tuple[Ledger, LedgerWriter]:
    """Return a ledger without budgets, and its writer into ``store``."""
    writer = LedgerWriter(store, capacity=capacity)
    unlimited = Budget(BudgetRepository(Postgres("postgresql://nowhere")), Limits({}), lease_seconds=60)
    return Ledger(writer, PRICES, unlimited, TokenMargins({})), writer


def record(ledger: Ledger, times: int) -> None:
    """Account for ``times`` calls."""
    for _ in range(times):
        with ledger.metered("chat", "m"):
            pass


async def test_a_full_queue_drops_and_counts() -> None:
    """Beyond the bound rows are lost, never requests; the loss is a metric."""
    store, before = Store(), dropped("full")
    ledger, _ = accounting(store, 3)
    record(ledger, 5)
    await ledger.drain()
    assert len(store.rows) == 3
    assert dropped("full") - before == 2


async def test_what_ends_a_hold_has_more_room_and_not_without_end() -> None:
    """Ten times the capacity; then it is dropped and counted as well."""
    store, before = Store(), dropped("full")
    ledger, _ = accounting(store, 3)
    for _ in range(40):
        with ledger.metered("chat", "m") as meter:
            meter.holds.append(Allocation(uuid4(), 1))
    await ledger.drain()
    assert len(store.rows) == 30
    assert dropped("full") - before == 10


async def test_an_outage_keeps_the_batch_and_shutdown_counts_what_is_left() -> None:
    """Rows taken from the queue survive a failed write; what cannot be written at the end is counted."""
    store, before = Store(), dropped("shutdown")
    ledger, writer = accounting(store, 10)
    record(ledger, 2)
    store.failure = DatabaseUnavailable()
    with pytest.raises(DatabaseUnavailable):
        await writer.run()
    await writer.drain(0.1)
    assert dropped("shutdown") - before == 2
    store.failure = None
    await writer.drain()
    assert len(store.rows) == 2


@pytest.mark.parametrize(
    "failure",
    [
        asyncpg.ReadOnlySQLTransactionError,
        asyncpg.DiskFullError,
        asyncpg.UndefinedFunctionError,
        asyncpg.InternalServerError,
    ],
)
async def test_only_what_is_wrong_with_a_row_drops_it(failure: type[Exception]) -> None:
    """A failover, a full disk, a missing migration: nothing is lost; all rows are written once that has passed."""
    store, before = Store(), dropped("refused")
    ledger, writer = accounting(store, 10)
    record(ledger, 3)
    store.failure = failure("not now")
    with pytest.raises(failure):
        await writer.run()
    store.failure = None
    await ledger.drain()
    assert (len(store.rows), dropped("refused") - before) == (3, 0)


async def test_a_shutdown_counts_what_a_broken_database_did_not_take() -> None:
    """The end of the service is not disturbed by what PostgreSQL says then."""
    store, before = Store(), dropped("shutdown")
    ledger, _ = accounting(store, 10)
    record(ledger, 2)
    store.failure = asyncpg.UndefinedFunctionError("not migrated")
    await ledger.drain()
    assert dropped("shutdown") - before == 2


async def test_a_row_that_is_refused_takes_no_other_along() -> None:
    """A row that PostgreSQL refuses is dropped and counted; the others of its batch are written."""
    store, before = Store(), dropped("refused")
    ledger, _ = accounting(store, 10)
    for model in ("good", "bad", "good"):
        with ledger.metered("chat", model):
            pass
    store.unwanted = "bad"
    await ledger.drain()
    assert [row.requested_model for row in store.rows] == ["good", "good"]
    assert dropped("refused") - before == 1


async def test_old_calls_and_budgets_are_deleted(ledger: asyncpg.Connection, postgres_url: str) -> None:
    """A batch at a time; younger ones stay, and so do the sums of them."""
    await ledger.execute("TRUNCATE calls, budget_accounts")
    await ledger.execute(
        "INSERT INTO calls (id, called_at, request_id, principal, operation, requested_model, provider, model, "
        "latency_ms, streamed, degraded, status) SELECT gen_random_uuid(), now() - n * interval '1 day', 'r', 'p', "
        "'chat', 'm', 'x', 'm', 1, false, false, 'ok' FROM generate_series(1, 100) n"
    )
    await ledger.execute(
        "INSERT INTO budget_accounts (month, account) VALUES ('2020-01-01', 'total'), (now(), 'total')"
    )
    postgres = Postgres(postgres_url)
    await postgres.open()
    repository = LedgerRepository(postgres)
    assert await repository.delete_calls_before(datetime.now(UTC) - timedelta(days=80), 7) == 7
    deleted = await LedgerRetention(repository, days=62).delete_expired()
    await postgres.close()
    assert (deleted, await ledger.fetchval("SELECT count(*) FROM calls")) == (32, 61)
    assert await ledger.fetchval("SELECT count(*) FROM budget_accounts") == 1
