"""Background tasks: started, restarted with back-off when they fail, and stopped for sure."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field

import structlog

from castor_chassis.client.retry import backoff_seconds
from castor_chassis.context import RequestInfo, set_request
from castor_chassis.metrics import WORKER_RESTARTS
from castor_chassis.wire.errors import ServiceError

log = structlog.get_logger("castor.worker")
Work = Callable[[], Awaitable[None]]


@dataclass
class Workers:
    """The background tasks of one service."""

    _tasks: dict[str, asyncio.Task[None]] = field(default_factory=dict)

    def spawn(self, name: str, work: Work) -> None:
        """Run ``work`` until it returns; restart it with backoff whenever it raises."""
        self._tasks[name] = asyncio.get_running_loop().create_task(_supervise(name, work), name=name)

    async def stop(self, patience_seconds: float = 5) -> None:
        """Cancel all tasks and wait for them; whoever is still at work after ``patience_seconds`` is asked again."""
        pending, self._tasks = set(self._tasks.values()), {}
        while pending:
            # A library can lose a cancellation, for example in ``asyncio.wait_for`` before Python 3.12.
            for task in pending:
                task.cancel()
            _, pending = await asyncio.wait(pending, timeout=patience_seconds)


def every(seconds: float, *jobs: Callable[[], Awaitable[object]]) -> Work:
    """Return work that does ``jobs`` in turn, waits ``seconds`` and begins again; it raises what they raise."""

    async def work() -> None:
        while True:
            for job in jobs:
                await job()
            await asyncio.sleep(seconds)

    return work


async def _supervise(name: str, work: Work) -> None:
    failures = 0
    while True:
        set_request(RequestInfo(principal=f"worker:{name}"))
        started = time.monotonic()
        try:
            await work()
            return
        except ServiceError as error:
            log.warning("worker_waits", worker=name, code=error.code, reason=str(error))
        except Exception:
            log.exception("worker_failed", worker=name)
        if _is_cancelled():
            return
        WORKER_RESTARTS.labels(name).inc()
        failures = 0 if time.monotonic() - started > 60 else failures + 1
        await asyncio.sleep(0.2 + backoff_seconds(failures, base=0.2))


def _is_cancelled() -> bool:
    # An error in somebody's clean-up takes the place of the cancellation: a late cancel request that
    # hits the ROLLBACK, say. The task still knows that it was asked to stop.
    task = asyncio.current_task()
    return task is not None and task.cancelling() > 0
