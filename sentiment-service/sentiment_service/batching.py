"""Dynamic batching: texts of concurrent requests share inferences, fairly and within bounds.

One inference runs at a time; what arrives meanwhile makes the next batch, so batches grow with the load and a lone
text never waits for company. Requests take turns within a batch: a request with one text is not stuck behind one
with a thousand.
"""

from __future__ import annotations

import asyncio
import time
from collections import deque
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from typing import Any, Generic, TypeVar

from sentiment_service.errors import QueueFull
from sentiment_service.metrics import BATCH, INFERENCE, QUEUED, SHARED, SHED

T = TypeVar("T")
_UNIT_CHARACTERS = 500
_MEMORY = 0.2


def units(text: str) -> int:
    """Return what a text counts for: 1 for each 500 characters begun, so that bounds on texts bound the time."""
    return 1 + (len(text) - 1) // _UNIT_CHARACTERS if text else 1


@dataclass(eq=False, slots=True)
class _Ticket:
    """One request: done when nothing is missing; cancelled with the request that awaits it."""

    missing: int
    done: asyncio.Future[None]

    def one_less(self) -> None:
        self.missing -= 1
        if self.missing == 0 and not self.done.done():
            self.done.set_result(None)

    def fail(self, error: Exception) -> None:
        if not self.done.done():
            self.done.set_exception(error)


@dataclass(eq=False, slots=True)
class _Work(Generic[T]):
    """One text, and the requests that wait for it."""

    text: str
    tickets: list[_Ticket] = field(default_factory=list)
    result: T | None = None

    def wanted(self) -> bool:
        return any(not ticket.done.done() for ticket in self.tickets)


class Batcher(Generic[T]):
    """Runs ``function`` (texts to results, in order, blocking, one call at a time) over batches.

    ``in_thread`` awaits it off the event loop. ``run`` must be running.
    """

    def __init__(
        self,
        function: Callable[[Sequence[str]], Sequence[T]],
        in_thread: Callable[..., Awaitable[Any]],
        *,
        batch_max: int,
        queue_max: int,
        wait_seconds: float = 0.0,
    ) -> None:
        self._function = function
        self._in_thread = in_thread
        self._batch_max = batch_max
        self._queue_max = queue_max
        self._wait_seconds = wait_seconds
        self._works: dict[str, _Work[T]] = {}
        self._lanes: deque[deque[_Work[T]]] = deque()
        self._arrived = asyncio.Event()
        self._queued = 0
        self._units_per_second = float(queue_max)

    async def submit(self, texts: Sequence[str]) -> dict[str, T]:
        """Return the result of each text; equal texts, also of other requests, are computed once.

        Raises:
            QueueFull: The bound is reached. A request larger than the bound is taken when nothing waits.
            Exception: What ``function`` raised.
        """
        works, ticket = self._enlist(list(dict.fromkeys(texts)))
        if works:
            await ticket.done
        return {work.text: work.result for work in works}  # type: ignore[misc]  # set, as the ticket is done

    async def run(self) -> None:
        """Work the queue off until cancelled."""
        while True:
            await self._arrived.wait()
            if self._wait_seconds and self._queued < self._batch_max:
                await asyncio.sleep(self._wait_seconds)
            if batch := self._take():
                await self._infer(batch)

    def _enlist(self, texts: list[str]) -> tuple[list[_Work[T]], _Ticket]:
        fresh = [text for text in texts if text not in self._works]
        self._admit(fresh)
        SHARED.inc(len(texts) - len(fresh))
        lane = deque(_Work[T](text) for text in fresh)
        self._works.update((work.text, work) for work in lane)
        works = [self._works[text] for text in texts]
        ticket = _Ticket(len(works), asyncio.get_running_loop().create_future())
        for work in works:
            work.tickets.append(ticket)
        if lane:
            self._lanes.append(lane)
            self._arrived.set()
        return works, ticket

    def _admit(self, fresh: list[str]) -> None:
        more = sum(map(units, fresh))
        if self._queued and self._queued + more > self._queue_max:
            SHED.inc(len(fresh))
            wait = self._queued / self._units_per_second
            raise QueueFull(waiting=self._queued, limit=self._queue_max, retry_after_seconds=wait)
        self._count(more)

    def _count(self, change: int) -> None:
        self._queued += change
        QUEUED.set(self._queued)

    def _take(self) -> list[_Work[T]]:
        """Return the next batch: an equal share for each waiting request, without what nobody waits for any more."""
        batch: list[_Work[T]] = []
        room = self._batch_max
        while self._lanes and room > 0:
            lane = self._lanes.popleft()
            room -= self._take_share(lane, max(1, room // (len(self._lanes) + 1)), batch)
            if lane:
                self._lanes.append(lane)
        if not self._lanes:
            self._arrived.clear()
        return batch

    def _take_share(self, lane: deque[_Work[T]], share: int, batch: list[_Work[T]]) -> int:
        taken = dropped = 0
        while lane and taken < share:
            work = lane.popleft()
            if work.wanted():
                batch.append(work)
                taken += units(work.text)
            else:
                del self._works[work.text]
                dropped += units(work.text)
        self._count(-taken - dropped)
        return taken

    async def _infer(self, batch: list[_Work[T]]) -> None:
        BATCH.observe(len(batch))
        started = time.perf_counter()
        try:
            results = await self._in_thread(self._function, [work.text for work in batch])
        except Exception as error:
            self._finish(batch)
            for ticket in {ticket for work in batch for ticket in work.tickets}:
                ticket.fail(error)
            return
        seconds = time.perf_counter() - started
        INFERENCE.observe(seconds)
        pace = sum(units(work.text) for work in batch) / max(seconds, 1e-6)
        self._units_per_second += _MEMORY * (pace - self._units_per_second)
        self._finish(batch)
        for work, result in zip(batch, results, strict=True):
            work.result = result
            for ticket in work.tickets:
                ticket.one_less()

    def _finish(self, batch: list[_Work[T]]) -> None:
        for work in batch:
            del self._works[work.text]
