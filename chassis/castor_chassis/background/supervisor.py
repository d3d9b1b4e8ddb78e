"""Background work: supervised tasks, leases so that one replica works at a time, and feed followers."""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any, Protocol

import asyncpg
import structlog

from castor_chassis.client.retry import backoff_seconds
from castor_chassis.context import RequestInfo, set_request
from castor_chassis.metrics import FEED_ITEMS, FEED_LAG, LEASE_HELD, WORKER_RESTARTS
from castor_chassis.storage.postgres import Postgres
from castor_chassis.wire.errors import ServiceError

log = structlog.get_logger("castor.worker")
Work = Callable[[], Awaitable[None]]
_reached_end_at: dict[str, float] = {}


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


async def run_under_lease(postgres: Postgres, name: str, work: Work, *, poll_seconds: float = 2.0) -> None:
    """Run ``work`` while this replica holds the lease ``name``; wait for the lease while another does.

    The lease is a PostgreSQL advisory lock of a session of its own, so a dead replica's lease is free
    as soon as PostgreSQL notices, and is given up here when that session breaks.
    """
    while True:
        async with postgres.connection() as connection:
            if await connection.fetchval("SELECT pg_try_advisory_lock(hashtextextended($1, 0))", name):
                LEASE_HELD.labels(name).set(1)
                try:
                    await _work_while(work, lambda: connection.fetchval("SELECT 1"), poll_seconds)
                    return
                finally:
                    LEASE_HELD.labels(name).set(0)
                    await _release(connection, name)
        await asyncio.sleep(poll_seconds)


async def _work_while(work: Work, probe: Callable[[], Awaitable[Any]], poll_seconds: float) -> None:
    async def watch() -> None:
        while True:
            await asyncio.sleep(poll_seconds)
            await probe()

    tasks = {asyncio.ensure_future(work()), asyncio.ensure_future(watch())}
    try:
        done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        for task in done:
            task.result()
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


async def _release(connection: Any, name: str) -> None:
    # A broken session has lost its lock already; an error here would also swallow a cancellation.
    with contextlib.suppress(asyncpg.InterfaceError, asyncpg.PostgresConnectionError, OSError):
        if not connection.is_closed():
            await connection.execute("SELECT pg_advisory_unlock(hashtextextended($1, 0))", name)


class FeedPage(Protocol):
    """One page of a feed."""

    @property
    def items(self) -> list[Any]:
        """Changes, oldest first."""

    @property
    def next_cursor(self) -> str:
        """Where the next page begins."""


async def follow(
    name: str,
    *,
    load_cursor: Callable[[], Awaitable[str]],
    fetch: Callable[[str], Awaitable[FeedPage]],
    apply: Callable[[list[Any], str], Awaitable[None]],
    idle_seconds: float = 0.2,
) -> None:
    """Follow a cursor feed for ever.

    ``fetch(cursor)`` may wait for news. ``apply(items, next_cursor)`` stores the items and the cursor in one
    transaction, so that an interrupted page is applied again whole or not at all.
    """
    # Kept across restarts of the worker: an outage of the producer must not make the lag look small.
    _reached_end_at.setdefault(name, time.time())
    FEED_LAG.labels(name).set_function(lambda: time.time() - _reached_end_at[name])
    cursor = await load_cursor()
    while True:
        page = await fetch(cursor)
        if page.items:
            await apply(page.items, page.next_cursor)
            FEED_ITEMS.labels(name).inc(len(page.items))
            cursor = page.next_cursor
        else:
            _reached_end_at[name] = time.time()
            await asyncio.sleep(idle_seconds)
