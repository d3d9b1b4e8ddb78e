"""The ledger: one row per call with its tokens, cost and outcome. No request waits for it or fails with it."""

from __future__ import annotations

import asyncio
import time
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from decimal import Decimal

import structlog

from castor_chassis import ServiceError, current_request
from openai_service.billing.budget import Budget
from openai_service.billing.ledger_writer import LedgerWriter
from openai_service.billing.meter import Attempt, Meter, Operation
from openai_service.billing.money import month_of, nano, usd
from openai_service.billing.payer import NOBODY, Payer
from openai_service.billing.prices import Prices, Tokens
from openai_service.billing.repository import Call, Entry
from openai_service.billing.token_margins import TokenMargins
from openai_service.errors import PriceUnknown
from openai_service.metrics import ABOVE_HOLD, ABOVE_HOLD_USD, CALLS, COST, TOKENS, UNPRICED

log = structlog.get_logger("castor.openai.ledger")


class Ledger:
    """Meters calls, holds money for their attempts, and hands their rows to the writer."""

    def __init__(self, writer: LedgerWriter, prices: Prices, budget: Budget, margins: TokenMargins) -> None:
        self._writer = writer
        self._prices = prices
        self._budget = budget
        self._margins = margins
        budget.on_unused = writer.release_unused

    @contextmanager
    def metered(
        self, operation: Operation, requested_model: str, payer: Payer = NOBODY, task: str | None = None,
        prompt_version: str | None = None,
    ) -> Iterator[Meter]:  # fmt: skip
        """Account for the call that is made in the block, failures included.

        A stream outlives the block: it sets ``meter.kept_open`` and ends the meter itself.
        """
        meter = Meter(operation, requested_model, payer, task, prompt_version)
        try:
            yield meter
        except BaseException as error:
            meter.status = _status_of(error)
            self.end(meter)
            raise
        if not meter.kept_open:
            self.end(meter)

    def bounds_answers(self, payer: Payer, model: str) -> bool:
        """Return whether a budget applies and the model has a cost, so that the answer's length must be bounded."""
        if not self._budget.limits.of(payer):
            return False
        prices = self._prices.of(model)
        return prices is None or any(prices)

    async def begin(self, meter: Meter, provider: str, model: str, bound: Tokens) -> Attempt:
        """Hold what one more attempt can cost at most, and add it to the meter.

        Raises what ``Budget.hold`` raises, or ``PriceUnknown``.
        """
        margin = self._margins.of(provider, model)
        attempt = Attempt(provider, model, bound.widened(margin), margin)
        if self.bounds_answers(meter.payer, model):
            if self._prices.of(model) is None:
                raise PriceUnknown(model=model)
            await self._hold(meter, attempt.max_cost_nano(self._prices))
        meter.attempts.append(attempt)
        meter.answered_by(provider, model)
        return attempt

    async def _hold(self, meter: Meter, more_nano: int) -> None:
        needed = meter.max_cost_nano(self._prices) + more_nano - meter.held_nano
        if needed <= 0:
            return
        held = await self._budget.hold(meter.payer, needed, meter.called_at, self._writer.release_hold)
        if held is not None:
            meter.holds.append(held)
            meter.held_nano += needed

    def end(self, meter: Meter) -> None:
        """Close ``meter`` and queue its row; when the queue is full the row is dropped and counted."""
        entry = self._entry(meter)
        _observe(entry.call)
        self._writer.add(entry)

    async def drain(self) -> None:
        """Give back what is preallocated and write what is queued; call it once, when no more calls are made."""
        self._budget.end_preallocations()
        await self._writer.drain()

    def _entry(self, meter: Meter) -> Entry:
        cost, basis = meter.bill(self._prices)
        for attempt in meter.attempts:
            self._margins.observe(attempt)
        accounts = meter.payer.accounts() if cost else ()
        spent = nano(cost or 0)
        if meter.holds and spent > meter.held_nano:
            _note_above_hold(meter, spent)
        return Entry(_row(meter, cost, basis), month_of(meter.called_at), accounts, spent, tuple(meter.holds))


def _row(meter: Meter, cost: Decimal | None, basis: str | None) -> Call:
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
        org=meter.payer.org,
    )


def _status_of(error: BaseException) -> str:
    if isinstance(error, ServiceError):
        return error.code
    return "cancelled" if isinstance(error, asyncio.CancelledError | GeneratorExit) else "internal_error"


def _note_above_hold(meter: Meter, spent_nano: int) -> None:
    """Report a call that cost more than was held for it: its budget may be exceeded by the difference."""
    over = usd(spent_nano - meter.held_nano)
    ABOVE_HOLD.labels(meter.provider).inc()
    ABOVE_HOLD_USD.labels(meter.provider).inc(over)
    log.warning(
        "settled_above_hold",
        provider=meter.provider,
        model=meter.model,
        held_usd=usd(meter.held_nano),
        cost_usd=usd(spent_nano),
        bounds=[(attempt.bound.prompt, attempt.bound.completion) for attempt in meter.attempts],
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
