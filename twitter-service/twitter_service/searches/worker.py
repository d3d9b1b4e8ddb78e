"""Runs search jobs: each replica claims what is due, and reads it page by page.

A page is stored first, then charged, then recorded as read. A replica that dies in between leaves a page that is read
again: each post is stored once, and X bills it once a UTC day.
"""

from __future__ import annotations

import asyncio
import uuid
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from typing import Literal

import structlog

from castor_chassis import RequestInfo, ServiceError, Unavailable, Wakeup, set_request
from castor_chassis.client.retry import backoff_seconds
from twitter_service.billing.ledger import Ledger
from twitter_service.errors import BudgetSpent
from twitter_service.metrics import X_BUDGET_SPENT, X_DOLLARS, X_POSTS, X_SEARCHES
from twitter_service.searches.ingest import PageIngest
from twitter_service.searches.model import ClaimedJob, PageProgress
from twitter_service.searches.planner import RECENT_DAYS
from twitter_service.searches.repository import SearchRepository
from twitter_service.x.client import MIN_PAGE, RECENT_PAGE, XClient, XPage

POLL_SECONDS = 1.0
ALLOWANCE_PATIENCE_SECONDS = 3600.0
"""A job waits until X's window of 15 minutes has ended."""
MAX_PAUSE_SECONDS = 300.0

log = structlog.get_logger("castor.twitter.search")


class JobRunner:
    """Runs one claimed job to its end, its cap, or its failure."""

    def __init__(
        self, x: XClient, searches: SearchRepository, ledger: Ledger, ingest: PageIngest, *, max_attempts: int
    ) -> None:
        self._x = x
        self._searches = searches
        self._ledger = ledger
        self._ingest = ingest
        self._max_attempts = max_attempts

    async def run(self, job: ClaimedJob) -> None:
        """Resume ``job`` where it stands; what goes wrong is recorded with it."""
        set_request(RequestInfo(principal=f"worker:search:{job.id}"))
        try:
            if not job.may_pause:
                await self._ledger.reserve(job.id, job.payer, max(0, job.max_posts - job.posts_read))
            complete = await self._read_pages(job)
            if complete is not None:
                await self._end(job, complete)
        except BudgetSpent as error:
            X_BUDGET_SPENT.labels(job.purpose).inc()
            await self._stop(job, "paused" if job.may_pause else "failed", error)
        except Unavailable as error:
            await self._postpone(job, error)
        except ServiceError as error:
            await self._fail(job, error)
        except Exception as error:
            log.exception("search_broke", search_id=job.id)
            await self._postpone(job, Unavailable(reason=f"the job broke off ({type(error).__name__})"))

    async def _read_pages(self, job: ClaimedJob) -> bool | None:
        """Return whether everything was read; None when the job goes on later, or with another replica."""
        number, token, read = job.query_number, job.next_token, job.posts_read
        while number < len(job.queries):
            if job.max_posts - read < MIN_PAGE:
                return await self._capped(job)
            page = await self._ask(job, number, token, await self._size(job, job.max_posts - read))
            number, token = (number, page.next_token) if page.next_token else (number + 1, None)
            stored = await self._ingest.store(page, job.id)
            charge = await self._ledger.charge(job.id, job.payer, stored.ids)
            read += charge.read
            X_POSTS.labels(job.purpose, "yes").inc(charge.billed.posts)
            X_POSTS.labels(job.purpose, "no").inc(charge.read - charge.billed.posts)
            X_DOLLARS.labels(job.purpose).inc(charge.billed.micro_usd / 1e6)
            progress = PageProgress(
                number, token, charge.read, charge.billed.posts, charge.billed.micro_usd,
                stored.stored, stored.duplicates, stored.rejected, max(stored.ids, default=None),
            )  # fmt: skip
            if not await self._searches.progress(job, progress):
                log.warning("search_taken_over", search_id=job.id)
                return None
        return True

    async def _size(self, job: ClaimedJob, rest: int) -> int:
        """Return how many posts the next page may hold; raises ``BudgetSpent``.

        A job that can be paused reserves each page before it is read, so that it reads what the budgets leave, however
        large its cap is, and holds no more of them than a page.
        """
        if not job.may_pause:
            return rest
        return await self._ledger.reserve_some(job.id, job.payer, min(rest, RECENT_PAGE), MIN_PAGE)

    async def _ask(self, job: ClaimedJob, number: int, token: str | None, size: int) -> XPage:
        query, patience = job.queries[number], ALLOWANCE_PATIENCE_SECONDS
        if job.kind == "timeline":
            return await self._x.timeline(query, job.span, token, size=size, patience=patience)
        return await self._x.search(query, job.span, token, size=size, archive=job.archive, patience=patience)

    async def _capped(self, job: ClaimedJob) -> bool | None:
        """Return False: ``max_posts`` ended the job. The run of a collection may leave nothing out, so it is paused."""
        if not job.may_pause:
            return False
        await self._ledger.release(job.id)
        await self._searches.stop(
            job, "paused", "cap_reached", "The run read as many posts as one run may; it goes on."
        )
        return None

    async def _end(self, job: ClaimedJob, complete: bool) -> None:
        await self._searches.end(job, complete=complete)
        await self._ledger.release(job.id)
        X_SEARCHES.labels(job.kind, "done").inc()
        log.info("search_done", search_id=job.id, complete=complete)

    async def _stop(self, job: ClaimedJob, state: Literal["failed", "paused"], error: ServiceError) -> None:
        await self._searches.stop(job, state, error.code, str(error))
        await self._ledger.release(job.id)
        X_SEARCHES.labels(job.kind, state).inc()
        log.warning("search_stopped", search_id=job.id, state=state, code=error.code, reason=str(error))

    async def _fail(self, job: ClaimedJob, error: ServiceError) -> None:
        """Give a job up; a gap of the stream is tried again with the next run while X can find its posts."""
        ends_at = job.ends_at or datetime.now(UTC)
        is_kept = job.kind == "gap" and datetime.now(UTC) - ends_at < timedelta(days=RECENT_DAYS)
        await self._stop(job, "paused" if is_kept else "failed", error)

    async def _postpone(self, job: ClaimedJob, error: ServiceError) -> None:
        if job.attempts + 1 >= self._max_attempts:
            await self._fail(job, error)
            return
        wait = max(error.retry_after_seconds or 0, 1 + backoff_seconds(job.attempts, base=2))
        log.warning("search_postponed", search_id=job.id, code=error.code, seconds=round(wait, 1))
        await self._searches.postpone(job, min(wait, MAX_PAUSE_SECONDS), error.code, str(error))


class SearchWorker:
    """The background work of one replica: claims jobs that are due, at most ``concurrency`` at a time."""

    def __init__(
        self,
        searches: SearchRepository,
        runner: JobRunner,
        wakeup: Wakeup,
        *,
        concurrency: int,
        lease_seconds: float,
    ) -> None:
        self._searches = searches
        self._runner = runner
        self._wakeup = wakeup
        self._concurrency = concurrency
        self._lease = lease_seconds
        self._running: dict[asyncio.Task[None], str] = {}

    async def run(self) -> None:
        """Run until cancelled; ``wakeup`` says that a job was queued. Raises ``DatabaseUnavailable``."""
        claim = uuid.uuid4().hex
        renewing = asyncio.ensure_future(self._renew_leases(claim))
        try:
            while not renewing.done():
                await self._start_due(claim)
                await self._wakeup.wait(POLL_SECONDS)
            renewing.result()
        finally:
            renewing.cancel()
            await self._stop(claim)

    async def _start_due(self, claim: str) -> None:
        free = self._concurrency - len(self._running)
        jobs = await self._searches.claim(claim, free, self._lease) if free else []
        for job in jobs:
            task = asyncio.get_running_loop().create_task(self._run(job))
            self._running[task] = job.id
            task.add_done_callback(self._done)

    async def _run(self, job: ClaimedJob) -> None:
        try:
            await self._runner.run(job)
        except ServiceError as error:
            # Its lease lapses, and it is claimed again.
            log.warning("search_left", search_id=job.id, code=error.code)
        except Exception:
            log.exception("search_left", search_id=job.id)

    def _done(self, task: asyncio.Task[None]) -> None:
        del self._running[task]
        self._wakeup.set()

    async def _renew_leases(self, claim: str) -> None:
        while True:
            await self._searches.renew(claim, list(self._running.values()), self._lease)
            await asyncio.sleep(self._lease / 4)

    async def _stop(self, claim: str) -> None:
        tasks = list(self._running)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        with suppress(ServiceError):
            await self._searches.release(claim)
