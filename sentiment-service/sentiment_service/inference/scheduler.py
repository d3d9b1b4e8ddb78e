"""Dynamic batching: texts of concurrent requests are computed together, in a fair order and within bounds.

At most one inference runs per worker, on one processor each. Texts that arrive meanwhile form the next batches, so
batches grow with the load and a single text does not wait for others. A request is admitted by the time that it would
wait, at the speed measured over the last inferences.
"""

from __future__ import annotations

import asyncio
import time
from collections import deque
from collections.abc import Awaitable, Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any, Generic, TypeVar

from castor_chassis import Broadcast
from castor_chassis.context import remaining_seconds
from sentiment_service.errors import QueueFull
from sentiment_service.inference.fair_queue import FairQueue
from sentiment_service.inference.model import InferenceRequest
from sentiment_service.inference.questions import Question
from sentiment_service.metrics import BATCH, INFERENCE, QUEUED, SHARED, SHED, TOKENS, WAIT

T = TypeVar("T")
# The speed is measured over so many of the last inferences.
_PACE_BATCHES = 32
# A request of at most so many batches, about 25 tweets, is served whole in one turn (a portion).
_PORTION_BATCHES = 4
# A larger request may also wait so many times as long as what it has beyond a portion takes: five such callers can
# share the model.
_BULK_PATIENCE = 4
# Batches that may always wait, however slow the processors are (one and a half portions): on busy processors a few
# callers who take turns would otherwise be refused.
_LEAST_BATCHES = 6
# What a batch costs besides its tokens, in tokens: 1.4 ms, with .12 ms a token on one processor. A single text costs
# hardly more per token than eight together, so padding is what batches lose by.
_BATCH_OVERHEAD = 10
# A batch is chosen among so many waiting texts, about two small requests. Texts of later requests delay the first: with
# 32 a request waits up to 1.3 portions longer than predicted, for 1 % less computing.
_POOL_TEXTS = 16


@dataclass(eq=False, slots=True)
class _PendingRequest:
    """One call of ``submit``: ``done`` is set when no text is missing, cancelled when its caller is."""

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
    """One text to compute, and the calls that wait for it."""

    request: InferenceRequest
    waiting: list[_PendingRequest] = field(default_factory=list)
    result: T | None = None

    @property
    def cost(self) -> int:
        return self.request.cost

    def is_awaited(self) -> bool:
        return any(not pending.done.done() for pending in self.waiting)


class Pace:
    """Seconds of an inference by its number of tokens, estimated from the last inferences."""

    def __init__(self) -> None:
        self._last: deque[tuple[int, float]] = deque(maxlen=_PACE_BATCHES)

    def note(self, cost: int, seconds: float) -> None:
        """Add one inference."""
        self._last.append((cost, seconds))

    def seconds(self, cost: int) -> float:
        """Return how long ``cost`` tokens should take; 0 before anything was measured."""
        tokens = sum(cost for cost, _ in self._last)
        return cost * sum(seconds for _, seconds in self._last) / tokens if tokens else 0.0


class InferenceScheduler(Generic[T]):
    """Runs ``function`` (texts to results, in order, blocking) over batches, at most ``workers`` calls at a time.

    ``in_thread`` runs it off the event loop. ``run`` must be running. A batch has at most ``batch_max`` tokens, padding
    included, and ``queue_max`` texts may wait. A request that would wait longer than ``wait_max_seconds`` for its turn
    (or than one and a half portions take, if that is longer) is refused; one larger than a portion may also wait four
    times as long as what it has beyond a portion takes.
    """

    def __init__(
        self,
        function: Callable[[Sequence[Question]], Sequence[T]],
        in_thread: Callable[..., Awaitable[Any]],
        *,
        batch_max: int,
        queue_max: int,
        wait_max_seconds: float,
        workers: int = 1,
        pool_max: int = _POOL_TEXTS,
    ) -> None:
        self._function = function
        self._in_thread = in_thread
        self._batch_max = batch_max
        self._queue_max = queue_max
        self._wait_max_seconds = wait_max_seconds
        self._pool_max = pool_max
        self._workers = workers
        self._jobs: dict[str, _Job[T]] = {}
        self._portion = _PORTION_BATCHES * batch_max
        self._queue: FairQueue[_Job[T]] = FairQueue(self._portion, _BATCH_OVERHEAD)
        self._arrived = Broadcast()
        self._pace = Pace()
        self._reserved = 0
        self._running: dict[int, tuple[int, float]] = {}
        WAIT.set_function(lambda: self.wait_seconds(1))

    async def submit(self, requests: Sequence[InferenceRequest]) -> dict[str, T]:
        """Return the result of each text by its key; equal keys, also of other calls, are computed once.

        Raises:
            QueueFull: Too many texts wait, or these would wait too long. Never raised while nothing waits.
            Exception: What ``function`` raised.
        """
        jobs, pending = self._enqueue({request.key: request for request in requests})
        if jobs:
            await pending.done
        return {job.request.key: job.result for job in jobs}  # type: ignore[misc]  # set, as the request is done

    async def run(self) -> None:
        """Compute what is in the queue until cancelled."""
        async with asyncio.TaskGroup() as group:
            for worker in range(self._workers):
                group.create_task(self._work(worker))

    async def _work(self, worker: int) -> None:
        while True:
            await self._arrived.wait_for(lambda: self._queue.count > 0)
            batch = self._queue.take(self._batch_max, self._pool_max)
            self._forget_dropped()
            if batch:
                await self._infer(worker, batch)

    def wait_seconds(self, cost: int) -> float:
        """Return how long a request of ``cost`` tokens that arrived now would wait before its last batch begins."""
        now = time.perf_counter()
        rest = sum(max(0.0, self._pace.seconds(cost) - (now - begun)) for cost, begun in self._running.values())
        return (rest + self._pace.seconds(self._queue.ahead(cost) + self._reserved)) / self._workers

    def _enqueue(self, requests: dict[str, InferenceRequest]) -> tuple[list[_Job[T]], _PendingRequest]:
        fresh = [_Job[T](request) for key, request in requests.items() if key not in self._jobs]
        self.check(sum(job.cost for job in fresh), len(fresh))
        SHARED.inc(len(requests) - len(fresh))
        self._jobs.update((job.request.key, job) for job in fresh)
        jobs = [self._jobs[key] for key in requests]
        pending = _PendingRequest(len(jobs), asyncio.get_running_loop().create_future())
        for job in jobs:
            job.waiting.append(pending)
        if fresh:
            self._queue.push(fresh)
            QUEUED.set(self._queue.count)
            self._arrived.notify()
        return jobs, pending

    @contextmanager
    def reserved(self, cost: int, texts: int) -> Iterator[None]:
        """Count a request of that size as waiting while its texts are preprocessed; raises ``QueueFull``."""
        self.check(cost, texts)
        self._reserved += cost
        try:
            yield
        finally:
            self._reserved -= cost

    def check(self, cost: int, texts: int) -> None:
        """Raise ``QueueFull`` if a request of that size would be refused now, before any work is done for it."""
        if not (self._queue.count or self._reserved) or not texts:
            return
        wait, allowed = self.wait_seconds(cost), self._allowed_seconds(cost)
        if wait <= allowed and self._queue.count + texts <= self._queue_max:
            return
        SHED.inc(texts)
        raise QueueFull(waiting=self._queue.count, seconds=round(wait, 1), retry_after_seconds=max(1.0, wait - allowed))

    def _allowed_seconds(self, cost: int) -> float:
        beyond = self._pace.seconds(max(0, cost - self._portion)) / self._workers
        usual = self._pace.seconds(_LEAST_BATCHES * self._batch_max) / self._workers
        allowed = max(self._wait_max_seconds, usual) + _BULK_PATIENCE * beyond
        remaining = remaining_seconds()
        if remaining is None:
            return allowed
        return min(allowed, remaining - self._pace.seconds(cost) / self._workers)

    def _forget_dropped(self) -> None:
        QUEUED.set(self._queue.count)
        for job in self._queue.dropped:
            del self._jobs[job.request.key]
        self._queue.dropped.clear()

    async def _infer(self, worker: int, batch: list[_Job[T]]) -> None:
        cost = sum(job.cost for job in batch)
        BATCH.observe(len(batch))
        TOKENS.labels("text").inc(cost)
        started = time.perf_counter()
        self._running[worker] = (cost, started)
        try:
            results = await self._in_thread(self._function, [job.request.question for job in batch])
        except Exception as error:
            for pending in {pending for job in batch for pending in job.waiting}:
                pending.fail(error)
        else:
            self._deliver(batch, results)
        finally:
            del self._running[worker]
            for job in batch:
                del self._jobs[job.request.key]
        seconds = time.perf_counter() - started
        INFERENCE.observe(seconds)
        self._pace.note(cost, seconds)

    def _deliver(self, batch: Sequence[_Job[T]], results: Sequence[T]) -> None:
        for job, result in zip(batch, results, strict=True):
            job.result = result
            for pending in job.waiting:
                pending.one_less()
