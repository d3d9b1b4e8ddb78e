"""The ledger's queue and the worker that writes it to PostgreSQL in batches."""

from __future__ import annotations

import asyncio
import contextlib
import uuid
from collections import deque
from collections.abc import Sequence
from typing import Protocol

import asyncpg
import structlog

from castor_chassis import ServiceError, Wakeup
from openai_service.billing.preallocation import Allocation
from openai_service.billing.repository import Entry
from openai_service.metrics import LEDGER_DROPPED, LEDGER_QUEUED

log = structlog.get_logger("castor.openai.ledger")
_BATCH = 500
_ROOM_FOR_HELD = 10
"""How many times the capacity entries that end a hold may fill."""
_ROW_AT_FAULT = (asyncpg.DataError, asyncpg.IntegrityConstraintViolationError, asyncpg.ProgramLimitExceededError)
"""What PostgreSQL says of a row that it will never take; anything else may pass, and the row is kept until then."""


class EntryRepository(Protocol):
    """Where entries are stored; see ``LedgerRepository``."""

    async def settle(self, entries: Sequence[Entry]) -> None:
        """Store calls, book their costs and end their holds; a call that is stored already counts once."""

    async def release_holds(self, holds: Sequence[uuid.UUID]) -> None:
        """End holds of which nothing was spent."""

    async def release_unused(self, unused: Sequence[Allocation]) -> None:
        """Give back unused preallocations; a hold that was given back already counts once."""


class LedgerWriter:
    """A queue of at most ``capacity`` entries, written in the background; while PostgreSQL is away they wait.

    Entries that end a hold are taken up to ten times the capacity: there are no more of them than money was held for,
    and without PostgreSQL no money is held. So many wait only where it holds money and does not take rows.
    """

    def __init__(self, repository: EntryRepository, *, capacity: int) -> None:
        self._repository = repository
        self._capacity = capacity
        self._queue: deque[Entry] = deque()
        self._released: list[uuid.UUID] = []
        self._unused: list[Allocation] = []
        self._added = Wakeup()

    def add(self, entry: Entry) -> None:
        """Queue ``entry``; when the queue is full it is dropped and counted."""
        if len(self._queue) < self._capacity * (_ROOM_FOR_HELD if entry.holds else 1):
            self._queue.append(entry)
            self._added.set()
        else:
            LEDGER_DROPPED.labels("full").inc()
        LEDGER_QUEUED.set(len(self._queue))

    def release_hold(self, hold: uuid.UUID) -> None:
        """Queue the release of a hold whose call was never made."""
        self._released.append(hold)
        self._added.set()

    def release_unused(self, unused: Allocation) -> None:
        """Queue the release of what is left of a preallocation."""
        self._unused.append(unused)
        self._added.set()

    async def run(self) -> None:
        """Write what is queued whenever there is something, until cancelled; raises what the repository raises.

        Entries stay queued until they are stored, so the next run writes what this one could not.
        """
        while True:
            await self._added.wait()
            try:
                await self._write()
            except BaseException:
                self._added.set()
                raise

    async def drain(self, seconds: float = 3.0) -> None:
        """Write what is queued, for at most ``seconds``; what is left is dropped and counted."""
        with contextlib.suppress(ServiceError, asyncpg.PostgresError, TimeoutError):
            async with asyncio.timeout(seconds):
                await self._write()
        left = len(self._queue)
        if left:
            LEDGER_DROPPED.labels("shutdown").inc(left)
            log.warning("ledger_rows_dropped", rows=left)

    async def _write(self) -> None:
        while self._released or self._unused or self._queue:
            if self._released:
                holds = self._released[:_BATCH]
                await self._repository.release_holds(holds)
                del self._released[: len(holds)]
            if self._unused:
                unused = self._unused[:_BATCH]
                await self._repository.release_unused(unused)
                del self._unused[: len(unused)]
            if self._queue:
                await self._write_entries([self._queue[at] for at in range(min(_BATCH, len(self._queue)))])

    async def _write_entries(self, batch: list[Entry]) -> None:
        # After any other error the entries stay queued, and the worker is restarted.
        try:
            await self._repository.settle(batch)
        except _ROW_AT_FAULT:
            await self._write_one_by_one(batch)
            return
        self._remove(len(batch))

    async def _write_one_by_one(self, batch: list[Entry]) -> None:
        # One entry that PostgreSQL refuses must not keep the others of its batch from being booked.
        for entry in batch:
            try:
                await self._repository.settle([entry])
            except _ROW_AT_FAULT:
                LEDGER_DROPPED.labels("refused").inc()
                log.exception("ledger_row_refused", request_id=entry.call.request_id)
            self._remove(1)

    def _remove(self, count: int) -> None:
        for _ in range(count):
            self._queue.popleft()
        LEDGER_QUEUED.set(len(self._queue))
