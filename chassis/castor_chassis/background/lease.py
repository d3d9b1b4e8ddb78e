"""Leases: work that one replica at a time does."""

from __future__ import annotations

import asyncio
import contextlib
import re
from collections.abc import Awaitable, Callable
from typing import Any

import asyncpg

from castor_chassis.background.supervisor import Work
from castor_chassis.metrics import LEASE_HELD
from castor_chassis.storage.postgres import Postgres

_NAME = re.compile(r"[a-z][a-z0-9-]*:[a-z][a-z0-9_]*")


async def run_under_lease(postgres: Postgres, name: str, work: Work, *, poll_seconds: float = 2.0) -> None:
    """Run ``work`` while this replica holds the lease ``name``; wait for the lease while another does.

    ``name`` is ``<service>:<work>``, both in lower case; ``ValueError`` for any other. The lease is a PostgreSQL
    advisory lock of a session of its own, so a dead replica's lease is free as soon as PostgreSQL notices, and is
    given up here when that session breaks.
    """
    if not _NAME.fullmatch(name):
        raise ValueError(f"{name!r} is not the name of a lease: use <service>:<work>, for example rag:follow_tweets")
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
