"""Dynamic batching: texts of concurrent requests share inferences, fairly and within bounds.

As many inferences run at a time as there are processors, each on one; what arrives meanwhile makes the next batches,
so these grow with the load and a lone text never waits for company. A request is admitted by the time that it would
wait, at the pace measured so far.
"""

from __future__ import annotations

import asyncio
import time
from collections import deque
from collections.abc import Awaitable, Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any, Generic, TypeVar

from castor_chassis.context import remaining_seconds
from sentiment_service.errors import QueueFull
from sentiment_service.inference.fair_queue import FairQueue
from sentiment_service.metrics import BATCH, INFERENCE, QUEUED, SHARED, SHED, TOKENS, WAIT

T = TypeVar("T")
_PACE_BATCHES = 32
# A request of at most so many batches waits for its turn once, about 25 tweets.
_PORTION_BATCHES = 4
# How often a larger one may wait the time that the rest of it takes: five such callers can share the model.
_BULK_PATIENCE = 4
# Work that may always wait, however slow the processors are: where they are busy with others, a few callers who take
# turns with it would otherwise be refused for what is usual there. One and a half portions.
_LEAST_BATCHES = 6
# What a batch costs besides its tokens, in tokens: 1.4 ms and .12 ms a token on one processor; a text alone is nearly
# as cheap a token as eight together, so padding is what batches lose by.
_BATCH_OVERHEAD = 10
# Texts among which the neighbours in length are found, about two small requests. Those taken from later requests delay
# the first: among 32 a request waits longer than predicted by up to 1.3 portions, and 1 % is saved.
_POOL_TEXTS = 16


@dataclass(frozen=True, slots=True)
class Reading:
    """A text to be computed: ``key`` is equal for texts of equal result, ``cost`` its tokens (at least 1)."""

    key: str
    text: str
    cost: int


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
class _Job(Generic[T]):
    """One text, and the requests that wait for it."""

    reading: Reading
    tickets: list[_Ticket] = field(default_factory=list)
    result: T | None = None

    @property
    def cost(self) -> int:
        return self.reading.cost

    def wanted(self) -> bool:
        return any(not ticket.done.done() for ticket in self.tickets)


class Pace:
    """How long an inference takes by its tokens, from the last ones; unknown before the first."""

    def __init__(self) -> None:
        self._last: deque[tuple[int, float]] = deque(maxlen=_PACE_BATCHES)

    def note(self, cost: int, seconds: float) -> None:
        """Remember one inference."""
        self._last.append((cost, seconds))

    def seconds(self, cost: int) -> float:
        """Return how long ``cost`` should take; 0 before anything was measured."""
        tokens = sum(cost for cost, _ in self._last)
        return cost * sum(seconds for _, seconds in self._last) / tokens if tokens else 0.0


class Batcher(Generic[T]):
    """Runs ``function`` (texts to results, in order, blocking) over batches, at most ``lanes`` calls at a time.

    ``in_thread`` awaits it off the event loop. ``run`` must be running. A batch has at most ``batch_max`` tokens when
    padded, ``queue_max`` texts may wait, and a request that would wait longer than ``wait_max_seconds`` for its turn
    (or than one and a half portions take, where that is longer) is refused; one above a portion may wait as well four
    times as long as what it has beyond that takes.
    """

    def __init__(
        self,
        function: Callable[[Sequence[str]], Sequence[T]],
        in_thread: Callable[..., Awaitable[Any]],
        *,
        batch_max: int,
        queue_max: int,
        wait_max_seconds: float,
        lanes: int = 1,
        pool_max: int = _POOL_TEXTS,
    ) -> None:
        self._function = function
        self._in_thread = in_thread
        self._batch_max = batch_max
        self._queue_max = queue_max
        self._wait_max_seconds = wait_max_seconds
        self._pool_max = pool_max
        self._lanes = lanes
        self._jobs: dict[str, _Job[T]] = {}
        self._portion = _PORTION_BATCHES * batch_max
        self._queue: FairQueue[_Job[T]] = FairQueue(self._portion, _BATCH_OVERHEAD)
        self._arrived = asyncio.Event()
        self._pace = Pace()
        self._announced = 0
        self._under_way: dict[int, tuple[int, float]] = {}
        WAIT.set_function(lambda: self.wait_seconds(1))

    async def submit(self, readings: Sequence[Reading]) -> dict[str, T]:
        """Return the result of each text by its key; equal keys, also of other requests, are computed once.

        Raises:
            QueueFull: Too many texts wait, or they would take too long. What waits for nothing is never refused.
            Exception: What ``function`` raised.
        """
        jobs, ticket = self._enlist({reading.key: reading for reading in readings})
        if jobs:
            await ticket.done
        return {job.reading.key: job.result for job in jobs}  # type: ignore[misc]  # set, as the ticket is done

    async def run(self) -> None:
        """Work the queue off until cancelled."""
        async with asyncio.TaskGroup() as group:
            for lane in range(self._lanes):
                group.create_task(self._work(lane))

    async def _work(self, lane: int) -> None:
        while True:
            await self._arrived.wait()
            batch = self._queue.take(self._batch_max, self._pool_max)
            self._forget_dropped()
            if batch:
                await self._infer(lane, batch)
            else:
                self._arrived.clear()

    def wait_seconds(self, cost: int) -> float:
        """Return how long a request of ``cost`` tokens that came now would wait before its last batch begins."""
        now = time.perf_counter()
        rest = sum(max(0.0, self._pace.seconds(cost) - (now - begun)) for cost, begun in self._under_way.values())
        return (rest + self._pace.seconds(self._queue.ahead(cost) + self._announced)) / self._lanes

    def _enlist(self, readings: dict[str, Reading]) -> tuple[list[_Job[T]], _Ticket]:
        fresh = [_Job[T](reading) for key, reading in readings.items() if key not in self._jobs]
        self.check(sum(job.cost for job in fresh), len(fresh))
        SHARED.inc(len(readings) - len(fresh))
        self._jobs.update((job.reading.key, job) for job in fresh)
        jobs = [self._jobs[key] for key in readings]
        ticket = _Ticket(len(jobs), asyncio.get_running_loop().create_future())
        for job in jobs:
            job.tickets.append(ticket)
        if fresh:
            self._queue.push(fresh)
            QUEUED.set(self._queue.count)
            self._arrived.set()
        return jobs, ticket

    @contextmanager
    def announced(self, cost: int, texts: int) -> Iterator[None]:
        """While it lasts, a request of that size is on its way and counts as waiting; raises ``QueueFull``."""
        self.check(cost, texts)
        self._announced += cost
        try:
            yield
        finally:
            self._announced -= cost

    def check(self, cost: int, texts: int) -> None:
        """Raise ``QueueFull`` when a request of that size would be refused now, before any work is done for it."""
        if not (self._queue.count or self._announced) or not texts:
            return
        wait, allowed = self.wait_seconds(cost), self._allowed_seconds(cost)
        if wait <= allowed and self._queue.count + texts <= self._queue_max:
            return
        SHED.inc(texts)
        raise QueueFull(waiting=self._queue.count, seconds=round(wait, 1), retry_after_seconds=max(1.0, wait - allowed))

    def _allowed_seconds(self, cost: int) -> float:
        beyond = self._pace.seconds(max(0, cost - self._portion)) / self._lanes
        usual = self._pace.seconds(_LEAST_BATCHES * self._batch_max) / self._lanes
        allowed = max(self._wait_max_seconds, usual) + _BULK_PATIENCE * beyond
        remaining = remaining_seconds()
        if remaining is None:
            return allowed
        return min(allowed, remaining - self._pace.seconds(cost) / self._lanes)

    def _forget_dropped(self) -> None:
        QUEUED.set(self._queue.count)
        for job in self._queue.dropped:
            del self._jobs[job.reading.key]
        self._queue.dropped.clear()

    async def _infer(self, lane: int, batch: list[_Job[T]]) -> None:
        cost = sum(job.cost for job in batch)
        BATCH.observe(len(batch))
        TOKENS.labels("text").inc(cost)
        TOKENS.labels("padding").inc(max(job.cost for job in batch) * len(batch) - cost)
        started = time.perf_counter()
        self._under_way[lane] = (cost, started)
        try:
            results = await self._in_thread(self._function, [job.reading.text for job in batch])
        except Exception as error:
            for ticket in {ticket for job in batch for ticket in job.tickets}:
                ticket.fail(error)
        else:
            self._hand_out(batch, results)
        finally:
            del self._under_way[lane]
            for job in batch:
                del self._jobs[job.reading.key]
        seconds = time.perf_counter() - started
        INFERENCE.observe(seconds)
        self._pace.note(cost, seconds)

    def _hand_out(self, batch: Sequence[_Job[T]], results: Sequence[T]) -> None:
        for job, result in zip(batch, results, strict=True):
            job.result = result
            for ticket in job.tickets:
                ticket.one_less()
