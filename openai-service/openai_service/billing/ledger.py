"""Every call is accounted for, off the hot path: no request waits for the ledger or fails because of it."""

from __future__ import annotations

import asyncio
import contextlib
import time
import uuid
from collections import deque
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from decimal import Decimal
from typing import Protocol

import structlog

from castor_chassis import ServiceError, current_request
from openai_service.billing.budget import Budget, Payer, month_of, nano, usd
from openai_service.billing.meter import Attempt, Meter, Operation
from openai_service.billing.payer import NOBODY
from openai_service.billing.preallocation import Part
from openai_service.billing.prices import Prices, Tokens
from openai_service.billing.repository import Call, Entry
from openai_service.billing.token_margins import Margins
from openai_service.errors import PriceUnknown
from openai_service.metrics import (
    ABOVE_HOLD,
    ABOVE_HOLD_USD,
    CALLS,
    COST,
    LEDGER_DROPPED,
    LEDGER_QUEUED,
    TOKENS,
    UNPRICED,
)

log = structlog.get_logger("castor.openai.ledger")
_BATCH = 500


class CallStore(Protocol):
    """Where rows end."""

    async def settle(self, entries: Sequence[Entry]) -> None:
        """Store calls, book their costs, end their holds; the same call twice counts once."""

    async def release(self, holds: Sequence[uuid.UUID]) -> None:
        """End holds that nothing was spent of."""

    async def close(self, parts: Sequence[Part]) -> None:
        """Give back what was held ahead and is not used; the same hold twice counts once."""


class Ledger:
    """A bounded queue of rows and the worker that writes them in batches.

    Rows that end a hold have no bound of their own: there are no more of them than money was held for, and without
    PostgreSQL none is held.
    """

    def __init__(
        self, store: CallStore, prices: Prices, budget: Budget | None, *, capacity: int, margins: Margins | None = None
    ) -> None:
        self._store = store
        self._budget = budget
        self._capacity = capacity
        self._queue: deque[Entry] = deque()
        self._released: list[uuid.UUID] = []
        self._unused: list[Part] = []
        self._news = asyncio.Event()
        self._margins = margins or Margins({})
        if budget is not None:
            budget.give_back = self._give_back
        self.prices = prices

    @contextmanager
    def metered(
        self, operation: Operation, requested_model: str, payer: Payer = NOBODY, task: str | None = None,
        prompt_version: str | None = None,
    ) -> Iterator[Meter]:  # fmt: skip
        """Account for what happens in the block, failures included."""
        meter = Meter(operation, requested_model, payer, task, prompt_version)
        with self.noting(meter):
            yield meter
        if not meter.kept_open:
            self.end(meter)

    @contextmanager
    def noting(self, meter: Meter) -> Iterator[None]:
        """End ``meter`` with the failure that leaves the block, if one does."""
        try:
            yield
        except BaseException as error:
            meter.status = _status_of(error)
            self.end(meter)
            raise

    def limits_answers(self, payer: Payer, model: str) -> bool:
        """True when a budget applies and the model costs something, so that an answer must be bounded."""
        if self._budget is None or not self._budget.limits.of(payer):
            return False
        prices = self.prices.of(model)
        return prices is None or any(prices)

    async def begin(self, meter: Meter, provider: str, model: str, most: Tokens) -> Attempt:
        """Hold what one more attempt may cost, and note it; raises what ``Budget.hold`` raises, or ``PriceUnknown``."""
        margin = self._margins.of(provider, model)
        attempt = Attempt(provider, model, most.widened(margin), margin)
        if self._budget is not None and self.limits_answers(meter.payer, model):
            if self.prices.of(model) is None:
                raise PriceUnknown(model=model)
            await self._cover(self._budget, meter, attempt.worst_nano(self.prices))
        meter.attempts.append(attempt)
        meter.answered_by(provider, model)
        return attempt

    async def _cover(self, budget: Budget, meter: Meter, more_nano: int) -> None:
        needed = meter.exposed_nano(self.prices) + more_nano - meter.held_nano
        if needed <= 0:
            return
        held = await budget.hold(meter.payer, needed, meter.called_at, self._abandoned)
        if held is not None:
            meter.holds.append(held)
            meter.held_nano += needed

    def _give_back(self, unused: Part) -> None:
        self._unused.append(unused)
        self._news.set()

    def _abandoned(self, hold: uuid.UUID) -> None:
        self._released.append(hold)
        self._news.set()

    def end(self, meter: Meter) -> None:
        """Close ``meter`` and queue its row; when the queue is full the row is dropped and counted."""
        entry = self._entry(meter)
        _observe(entry.call)
        if entry.holds or len(self._queue) < self._capacity:
            self._queue.append(entry)
            self._news.set()
        else:
            LEDGER_DROPPED.labels("full").inc()
        LEDGER_QUEUED.set(len(self._queue))

    def _entry(self, meter: Meter) -> Entry:
        cost, basis = meter.bill(self.prices)
        for attempt in meter.attempts:
            self._margins.learn(attempt)
        call = self._row(meter, cost, basis)
        accounts = meter.payer.accounts() if cost else ()
        spent = nano(cost or 0)
        if meter.holds and spent > meter.held_nano:
            _note_above_hold(meter, spent)
        return Entry(call, month_of(meter.called_at), accounts, spent, tuple(meter.holds))

    def _row(self, meter: Meter, cost: Decimal | None, basis: str | None) -> Call:
        info = current_request()
        tokens = meter.tokens()
        return Call(
            id=uuid.uuid4(),
            called_at=meter.called_at,
            request_id=info.request_id if info else "none",
            principal=(info.principal if info else None) or "none",
            operation=meter.operation,
            requested_model=meter.requested_model,
            provider=meter.provider,
            model=meter.model,
            prompt_tokens=tokens.prompt,
            completion_tokens=tokens.completion,
            cost_usd=cost,
            latency_ms=(time.perf_counter() - meter.started) * 1000,
            streamed=meter.streamed,
            degraded=meter.degraded,
            status=meter.status,
            fallback_reason=meter.fallback_reason,
            tenant=meter.payer.tenant,
            service=meter.payer.service,
            task=meter.task,
            prompt_version=meter.prompt_version,
            cache=meter.cache,
            attempts=len(meter.attempts),
            cost_basis=basis,
            prompt=meter.prompt,
        )

    async def run(self) -> None:
        """Write batches for ever; a batch survives an outage of PostgreSQL and is written after it."""
        while True:
            await self._news.wait()
            self._news.clear()
            try:
                await self._write()
            except BaseException:
                self._news.set()
                raise

    async def drain(self, seconds: float = 3.0) -> None:
        """Write what is queued, for at most ``seconds``; the rest is dropped and counted."""
        if self._budget is not None:
            self._budget.end_advances()
        with contextlib.suppress(ServiceError, TimeoutError):
            async with asyncio.timeout(seconds):
                await self._write()
        left = len(self._queue)
        if left:
            LEDGER_DROPPED.labels("shutdown").inc(left)
            log.warning("ledger_rows_dropped", rows=left)

    async def _write(self) -> None:
        while self._released or self._unused or self._queue:
            if self._released:
                ids = self._released[:_BATCH]
                await self._store.release(ids)
                del self._released[: len(ids)]
            if self._unused:
                parts = self._unused[:_BATCH]
                await self._store.close(parts)
                del self._unused[: len(parts)]
            if self._queue:
                await self._write_rows([self._queue[at] for at in range(min(_BATCH, len(self._queue)))])

    async def _write_rows(self, batch: list[Entry]) -> None:
        try:
            await self._store.settle(batch)
        except ServiceError:
            raise  # an outage: the rows are kept, and the worker comes back
        except Exception:
            await self._write_one_by_one(batch)
            return
        self._forget(len(batch))

    async def _write_one_by_one(self, batch: list[Entry]) -> None:
        # One row that PostgreSQL never takes must not take its neighbours, and what they spent, along.
        for entry in batch:
            try:
                await self._store.settle([entry])
            except ServiceError:
                raise
            except Exception:
                LEDGER_DROPPED.labels("refused").inc()
                log.exception("ledger_row_refused", request_id=entry.call.request_id)
            self._forget(1)

    def _forget(self, count: int) -> None:
        for _ in range(count):
            self._queue.popleft()
        LEDGER_QUEUED.set(len(self._queue))


def _status_of(error: BaseException) -> str:
    if isinstance(error, ServiceError):
        return error.code
    return "cancelled" if isinstance(error, asyncio.CancelledError | GeneratorExit) else "internal_error"


def _note_above_hold(meter: Meter, spent_nano: int) -> None:
    """Say that a call cost more than was held: by so much the budget may be passed, and by no more than that."""
    over = usd(spent_nano - meter.held_nano)
    ABOVE_HOLD.labels(meter.provider).inc()
    ABOVE_HOLD_USD.labels(meter.provider).inc(over)
    log.warning(
        "settled_above_hold",
        provider=meter.provider,
        model=meter.model,
        held_usd=usd(meter.held_nano),
        cost_usd=usd(spent_nano),
        bounds=[(attempt.most.prompt, attempt.most.completion) for attempt in meter.attempts],
        counted=[(attempt.used.prompt, attempt.used.completion) for attempt in meter.attempts],
    )


def _observe(call: Call) -> None:
    CALLS.labels(call.operation, call.provider, call.status).observe(call.latency_ms / 1000)
    for kind, tokens in (("prompt", call.prompt_tokens), ("completion", call.completion_tokens)):
        TOKENS.labels(call.operation, call.provider, kind).inc(tokens or 0)
    if call.cost_usd is not None:
        COST.labels(call.operation).inc(float(call.cost_usd))
    elif call.prompt_tokens is not None:
        UNPRICED.inc()
