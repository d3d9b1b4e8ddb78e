"""Every call is accounted for, off the hot path: no request waits for the ledger or fails because of it."""

from __future__ import annotations

import asyncio
import contextlib
import time
import uuid
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any, Literal, Protocol

import structlog

from castor_chassis import ServiceError, current_request
from openai_service.metrics import CALLS, COST, LEDGER_DROPPED, LEDGER_QUEUED, TOKENS, UNPRICED
from openai_service.store import Call

log = structlog.get_logger("castor.openai.ledger")
Operation = Literal["chat", "embeddings"]
_BATCH = 500
_MILLION = Decimal(1_000_000)


class CallStore(Protocol):
    """Where rows end."""

    async def add(self, calls: list[Call]) -> None:
        """Store ``calls``; the same call twice counts once."""


@dataclass(frozen=True, slots=True)
class Prices:
    """USD per million prompt and completion tokens, by model name or its prefix."""

    table: Mapping[str, tuple[float, float]]

    def cost_usd(self, model: str, prompt_tokens: int | None, completion_tokens: int | None) -> Decimal | None:
        """Return the exact cost of a call; None when the model has no price or the tokens are unknown.

        The longest matching name wins, so that ``gpt-4o-mini-2024-07-18`` is priced as ``gpt-4o-mini``.
        """
        names = [name for name in self.table if model == name or model.startswith(f"{name}-")]
        if not names or prompt_tokens is None or completion_tokens is None:
            return None
        prompt, completion = (Decimal(str(price)) for price in self.table[max(names, key=len)])
        return (prompt * prompt_tokens + completion * completion_tokens) / _MILLION


@dataclass(slots=True)
class Meter:
    """What is learned about one call while it runs."""

    operation: Operation
    requested_model: str
    provider: str = "none"
    model: str = "none"
    prompt_tokens: int | None = None
    completion_tokens: int | None = None
    streamed: bool = False
    degraded: bool = False
    free: bool = False
    status: str = "ok"
    fallback_reason: str | None = None
    kept_open: bool = False
    """True once a stream carries the meter on; it ends the meter itself."""
    called_at: datetime = field(default_factory=lambda: datetime.now(UTC))
    started: float = field(default_factory=time.perf_counter)

    def count(self, usage: Mapping[str, Any] | None) -> None:
        """Take the tokens from a ``usage`` object of the OpenAI shape."""
        if usage:
            self.prompt_tokens = int(usage.get("prompt_tokens") or 0)
            self.completion_tokens = int(usage.get("completion_tokens") or 0)


class Ledger:
    """A bounded queue of rows and the worker that writes them in batches."""

    def __init__(self, store: CallStore, prices: Prices, *, capacity: int) -> None:
        self._store = store
        self._prices = prices
        self._queue: asyncio.Queue[Call] = asyncio.Queue(capacity)
        self._unwritten: list[Call] = []

    @contextmanager
    def metered(self, operation: Operation, requested_model: str) -> Iterator[Meter]:
        """Account for what happens in the block, failures included."""
        meter = Meter(operation, requested_model)
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

    def end(self, meter: Meter) -> None:
        """Close ``meter`` and queue its row; when the queue is full the row is dropped and counted."""
        call = self._row(meter)
        _observe(call)
        try:
            self._queue.put_nowait(call)
        except asyncio.QueueFull:
            LEDGER_DROPPED.labels("full").inc()
        self._show_length()

    def _row(self, meter: Meter) -> Call:
        info = current_request()
        zero = meter.free or meter.provider == "none"
        tokens = (meter.prompt_tokens, meter.completion_tokens)
        return Call(
            id=uuid.uuid4(),
            called_at=meter.called_at,
            request_id=info.request_id if info else "none",
            principal=(info.principal if info else None) or "none",
            operation=meter.operation,
            requested_model=meter.requested_model,
            provider=meter.provider,
            model=meter.model,
            prompt_tokens=tokens[0],
            completion_tokens=tokens[1],
            cost_usd=Decimal(0) if zero else self._prices.cost_usd(meter.model, *tokens),
            latency_ms=(time.perf_counter() - meter.started) * 1000,
            streamed=meter.streamed,
            degraded=meter.degraded,
            status=meter.status,
            fallback_reason=meter.fallback_reason,
        )

    async def run(self) -> None:
        """Write batches for ever; a batch survives an outage of PostgreSQL and is written after it."""
        while True:
            if not self._unwritten:
                self._unwritten = [await self._queue.get()]
            await self._write()

    async def drain(self, seconds: float = 3.0) -> None:
        """Write what is queued, for at most ``seconds``; the rest is dropped and counted."""
        with contextlib.suppress(ServiceError, TimeoutError):
            async with asyncio.timeout(seconds):
                while self._unwritten or not self._queue.empty():
                    await self._write()
        left = len(self._unwritten) + self._queue.qsize()
        if left:
            LEDGER_DROPPED.labels("shutdown").inc(left)
            log.warning("ledger_rows_dropped", rows=left)

    async def _write(self) -> None:
        while len(self._unwritten) < _BATCH and not self._queue.empty():
            self._unwritten.append(self._queue.get_nowait())
        try:
            await self._store.add(self._unwritten)
        except ServiceError:
            raise  # an outage: the rows are kept, and the worker comes back
        except Exception:
            LEDGER_DROPPED.labels("refused").inc(len(self._unwritten))
            self._unwritten = []
            raise
        self._unwritten = []
        self._show_length()

    def _show_length(self) -> None:
        LEDGER_QUEUED.set(self._queue.qsize() + len(self._unwritten))


def _status_of(error: BaseException) -> str:
    if isinstance(error, ServiceError):
        return error.code
    return "cancelled" if isinstance(error, asyncio.CancelledError | GeneratorExit) else "internal_error"


def _observe(call: Call) -> None:
    CALLS.labels(call.operation, call.provider, call.status).observe(call.latency_ms / 1000)
    for kind, tokens in (("prompt", call.prompt_tokens), ("completion", call.completion_tokens)):
        TOKENS.labels(call.operation, call.provider, kind).inc(tokens or 0)
    if call.cost_usd is not None:
        COST.labels(call.operation).inc(float(call.cost_usd))
    elif call.prompt_tokens is not None:
        UNPRICED.inc()
