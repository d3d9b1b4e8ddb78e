"""Readings of X: asked for, promised, and read page by page by whichever replica has a lane free.

A page is stored first, then charged, then noted as read. A replica that dies in between leaves a page that is
read again: the store keeps each post once, and X bills it once a UTC day.
"""

from __future__ import annotations

import asyncio
import uuid
from contextlib import suppress
from typing import Literal

import structlog

from castor_chassis import RequestInfo, ServiceError, Unavailable, set_request
from castor_chassis.client.retry import backoff_seconds
from twitter_service.billing.ledger import Ledger
from twitter_service.metrics import X_BUDGET_SPENT, X_DOLLARS, X_POSTS, X_SEARCHES
from twitter_service.searches.ingest import Sink
from twitter_service.searches.repository import Job, Page, SearchStore
from twitter_service.x.client import LEAST_PAGE, XClient, XPage
from twitter_service.x.errors import BudgetSpent

POLL_SECONDS = 1.0
ALLOWANCE_PATIENCE_SECONDS = 3600.0
"""A reading waits out X's windows, which are 15 minutes."""
LONGEST_PAUSE_SECONDS = 300.0

log = structlog.get_logger("twitter.search")


class SearchReader:
    """Reads one claimed reading to its end, its cap, or its failure."""

    def __init__(self, x: XClient, store: SearchStore, ledger: Ledger, sink: Sink, *, max_attempts: int) -> None:
        self._x = x
        self._store = store
        self._ledger = ledger
        self._sink = sink
        self._max_attempts = max_attempts

    async def read(self, job: Job) -> None:
        """Read on from where ``job`` stands; what goes wrong is recorded with it."""
        set_request(RequestInfo(principal=f"worker:search:{job.id}"))
        try:
            await self._ledger.reserve(job.id, job.payer, max(0, job.max_posts - job.posts_read))
            complete = await self._pages(job)
            if complete is not None:
                await self._end(job, complete)
        except BudgetSpent as error:
            X_BUDGET_SPENT.labels(job.purpose).inc()
            await self._stop(job, "failed" if job.kind in ("search", "timeline") else "paused", error)
        except Unavailable as error:
            await self._postpone(job, error)
        except ServiceError as error:
            await self._stop(job, "failed", error)

    async def _pages(self, job: Job) -> bool | None:
        """Return whether all was read; None when another replica has taken over."""
        number, token, read = job.query_number, job.next_token, job.posts_read
        while number < len(job.queries):
            if job.max_posts - read < LEAST_PAGE:
                return await self._capped(job)
            page = await self._ask(job, number, token, job.max_posts - read)
            number, token = (number, page.next_token) if page.next_token else (number + 1, None)
            stored = await self._sink.store(page, job.id)
            charge = await self._ledger.charge(job.id, job.payer, stored.ids)
            read += charge.read
            X_POSTS.labels(job.purpose, "yes").inc(charge.billed.posts)
            X_POSTS.labels(job.purpose, "no").inc(charge.read - charge.billed.posts)
            X_DOLLARS.labels(job.purpose).inc(charge.billed.micro_usd / 1e6)
            noted = Page(
                number, token, charge.read, charge.billed.posts, charge.billed.micro_usd,
                stored.stored, stored.duplicates, stored.rejected, max(stored.ids, default=None),
            )  # fmt: skip
            if not await self._store.progress(job, noted):
                log.warning("search_taken_over", search_id=job.id)
                return None
        return True

    async def _ask(self, job: Job, number: int, token: str | None, size: int) -> XPage:
        query, patience = job.queries[number], ALLOWANCE_PATIENCE_SECONDS
        if job.kind == "timeline":
            return await self._x.timeline(query, job.span, token, size=size, patience=patience)
        return await self._x.search(query, job.span, token, size=size, archive=job.archive, patience=patience)

    async def _capped(self, job: Job) -> bool | None:
        """Return False; a reading that is not allowed to leave anything out is paused instead."""
        if job.kind in ("search", "timeline"):
            return False
        await self._ledger.release(job.id)
        await self._store.stop(job, "paused", "cap_reached", "The run read as many posts as one run may; it goes on.")
        return None

    async def _end(self, job: Job, complete: bool) -> None:
        await self._store.end(job, complete=complete)
        await self._ledger.release(job.id)
        X_SEARCHES.labels(job.kind, "done").inc()
        log.info("search_done", search_id=job.id, complete=complete)

    async def _stop(self, job: Job, state: Literal["failed", "paused"], error: ServiceError) -> None:
        await self._store.stop(job, state, error.code, str(error))
        await self._ledger.release(job.id)
        X_SEARCHES.labels(job.kind, state).inc()
        log.warning("search_stopped", search_id=job.id, state=state, code=error.code, reason=str(error))

    async def _postpone(self, job: Job, error: ServiceError) -> None:
        if job.attempts + 1 >= self._max_attempts:
            await self._stop(job, "failed", error)
            return
        wait = max(error.retry_after_seconds or 0, 1 + backoff_seconds(job.attempts, base=2))
        log.warning("search_postponed", search_id=job.id, code=error.code, seconds=round(wait, 1))
        await self._store.postpone(job, min(wait, LONGEST_PAUSE_SECONDS), error.code, str(error))


class Runner:
    """The background work of one replica: claims what is due, at most ``lanes`` at a time, and keeps its leases."""

    def __init__(self, store: SearchStore, reader: SearchReader | None, *, lanes: int, lease_seconds: float) -> None:
        self._store = store
        self._reader = reader
        self._lanes = lanes
        self._lease = lease_seconds
        self._asked = asyncio.Event()
        self._running: set[asyncio.Task[None]] = set()

    def ask(self) -> None:
        """Say that something was asked for."""
        self._asked.set()

    async def run(self) -> None:
        """Work for ever; raises ``DatabaseUnavailable`` when the store is away."""
        claim = uuid.uuid4().hex
        beating = asyncio.ensure_future(self._beat(claim))
        try:
            while not beating.done():
                await self._start_due(claim)
                await self._wait()
            beating.result()
        finally:
            beating.cancel()
            await self._leave(claim)

    async def _start_due(self, claim: str) -> None:
        free = self._lanes - len(self._running)
        jobs = await self._store.claim(claim, free, self._lease) if free else []
        for job in jobs:
            task = asyncio.get_running_loop().create_task(self._read(job))
            self._running.add(task)
            task.add_done_callback(self._done)

    async def _read(self, job: Job) -> None:
        assert self._reader is not None
        try:
            await self._reader.read(job)
        except ServiceError as error:
            # Its lease ends, and it is taken up again.
            log.warning("search_left", search_id=job.id, code=error.code)
        except Exception:
            log.exception("search_broke", search_id=job.id)

    def _done(self, task: asyncio.Task[None]) -> None:
        self._running.discard(task)
        self._asked.set()

    async def _wait(self) -> None:
        with suppress(TimeoutError):
            async with asyncio.timeout(POLL_SECONDS):
                await self._asked.wait()
        self._asked.clear()

    async def _beat(self, claim: str) -> None:
        while True:
            await self._store.renew(claim, self._lease)
            await asyncio.sleep(self._lease / 4)

    async def _leave(self, claim: str) -> None:
        tasks = list(self._running)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        with suppress(ServiceError):
            await self._store.give_up(claim)
