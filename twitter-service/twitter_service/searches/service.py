"""What callers may ask of X: previews, searches, timelines, look-ups, and what it has cost."""

from __future__ import annotations

import asyncio
import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from castor_chassis import ANY_TIME, TimeSpan, Wakeup
from castor_chassis.context import remaining_seconds
from castor_chassis.wire.errors import IdempotencyKeyReused
from twitter_service.billing.budget import BudgetStatus, Payer
from twitter_service.billing.ledger import Ledger
from twitter_service.errors import BudgetSpent
from twitter_service.searches.ingest import PageIngest
from twitter_service.searches.model import JobRecord, NewJob, SearchSpec
from twitter_service.searches.planner import Plan, Planner, Preview, cap_for
from twitter_service.searches.repository import SearchRepository
from twitter_service.x.client import XClient
from twitter_service.x.errors import XLimitsUnavailable, XNotConfigured
from twitter_service.x.rate_limits import Allowance
from twitter_service.x.span import Span

MIN_PATIENCE_SECONDS = 0.5
ANSWER_SECONDS = 2.0
"""Of a request's time, what is kept for answering it."""
POLL_SECONDS = 0.25


@dataclass(frozen=True)
class Submission:
    """Who asks, for what, and under which idempotency key."""

    payer: Payer
    request: dict[str, Any]
    idempotency_key: str | None


@dataclass(frozen=True)
class Queued:
    """A job, and whether the same idempotency key had queued it before."""

    job: JobRecord
    before: bool = False


@dataclass(frozen=True)
class LookUp:
    """What became of the ids that were looked up."""

    found: list[str]
    missing: list[str]
    stored: int
    billed: int
    micro_usd: int


class SearchService:
    """Searches of X; ``x`` is None where no key is configured, ``queued`` wakes the worker."""

    def __init__(
        self,
        x: XClient | None,
        planner: Planner,
        ledger: Ledger,
        searches: SearchRepository,
        ingest: PageIngest,
        queued: Wakeup,
    ) -> None:
        self._x = x
        self._planner = planner
        self._ledger = ledger
        self._searches = searches
        self._ingest = ingest
        self._queued = queued

    @property
    def x(self) -> XClient:
        """The client of X; raises ``XNotConfigured``."""
        if self._x is None:
            raise XNotConfigured
        return self._x

    @property
    def is_configured(self) -> bool:
        """True with a key."""
        return self._x is not None

    async def preview(self, spec: SearchSpec, payer: Payer) -> Preview:
        """Say what a search would find and cost; raises the errors of X and of ``Planner.plan``."""
        plan = await self._planner.plan(spec)
        return await self._planner.preview(self.x, plan, payer, _patience_seconds())

    async def search(self, spec: SearchSpec, submission: Submission) -> Queued:
        """Reserve the price of a search and queue it; raises ``BudgetSpent`` before anything is spent."""
        if (before := await self._submitted_before(submission)) is not None:
            return Queued(before, before=True)
        plan = await self._planner.plan(spec)
        search_id = uuid.uuid4().hex
        cap = await self._reserve(search_id, plan, submission.payer)
        new = NewJob(
            search_id, "search", submission.payer, submission.request, plan.queries, plan.span, cap, plan.archive,
            submission.idempotency_key,
        )  # fmt: skip
        return await self._queue(new, submission)

    async def timeline(self, handle: str, span: Span, max_posts: int, submission: Submission) -> Queued:
        """Queue a job that reads what an account wrote; looking the account up is a user read."""
        if (before := await self._submitted_before(submission)) is not None:
            return Queued(before, before=True)
        search_id = uuid.uuid4().hex
        await self._ledger.reserve(search_id, submission.payer, max_posts)
        try:
            user = await self.x.user(handle, patience=_patience_seconds())
            await self._ledger.charge(search_id, submission.payer, [], [int(user["id"])])
        except BaseException:
            await self._ledger.release(search_id)
            raise
        new = NewJob(
            search_id, "timeline", submission.payer, submission.request, [str(user["id"])], span, max_posts,
            idempotency_key=submission.idempotency_key,
        )  # fmt: skip
        return await self._queue(new, submission)

    async def look_up(self, ids: Sequence[str], payer: Payer) -> LookUp:
        """Read posts by id now, store them, and say which ones X does not show."""
        x, key = self.x, uuid.uuid4().hex
        await self._ledger.reserve(key, payer, len(ids))
        try:
            page = await x.tweets(ids, patience=_patience_seconds())
            stored = await self._ingest.store(page, f"lookup:{key}")
            charge = await self._ledger.charge(key, payer, stored.ids)
        finally:
            await self._ledger.release(key)
        found = [str(item["id"]) for item in page.tweets]
        missing = [asked for asked in ids if asked not in set(found)]
        return LookUp(found, missing, stored.stored, charge.billed.posts, charge.billed.micro_usd)

    async def find(
        self,
        org: str,
        collection_key: str | None,
        before: tuple[datetime, str] | None,
        limit: int,
        asked: TimeSpan = ANY_TIME,
    ) -> list[JobRecord]:
        """Return jobs of a collection or of all, newest first; see ``SearchRepository.find``."""
        return await self._searches.find(org, collection_key, before, limit, asked)

    async def await_end(self, org: str, search_id: str, seconds: float) -> JobRecord:
        """Return a job, after waiting up to ``seconds`` for its end; raises ``SearchNotFound``."""
        deadline = asyncio.get_running_loop().time() + seconds
        while True:
            job = await self._searches.get(org, search_id)
            if job.has_ended or asyncio.get_running_loop().time() >= deadline:
                return job
            await asyncio.sleep(POLL_SECONDS)

    async def usage(self, payer: Payer) -> list[BudgetStatus]:
        """Return the status of the budgets that concern ``payer``."""
        return await self._ledger.statuses(payer)

    async def allowances(self) -> list[Allowance] | None:
        """Return what is known of X's windows, nothing without a key; None while Redis is away."""
        if self._x is None:
            return []
        try:
            return await self._x.limits.known()
        except XLimitsUnavailable:
            return None

    async def _submitted_before(self, submission: Submission) -> JobRecord | None:
        """Return the job that the same idempotency key has queued already."""
        if self._x is None:
            raise XNotConfigured
        if submission.idempotency_key is None:
            return None
        job = await self._searches.by_key(submission.payer.tenant, submission.idempotency_key)
        if job is not None and job.request != submission.request:
            raise IdempotencyKeyReused
        return job

    async def _reserve(self, search_id: str, plan: Plan, payer: Payer) -> int:
        """Reserve the whole cap; where that does not fit, ask X how much there is and reserve that. Return the cap."""
        try:
            await self._ledger.reserve(search_id, payer, plan.max_posts)
        except BudgetSpent:
            preview = await self._planner.preview(self.x, plan, payer, _patience_seconds())
            cap = min(plan.max_posts, cap_for(preview.found))
            await self._ledger.reserve(search_id, payer, cap)
            return cap
        return plan.max_posts

    async def _queue(self, new: NewJob, submission: Submission) -> Queued:
        if not await self._searches.add(new):
            # The same request came twice at the same time; the other one was faster.
            await self._ledger.release(new.id)
            before = await self._submitted_before(submission)
            assert before is not None
            return Queued(before, before=True)
        self._queued.set()
        return Queued(await self._searches.get(new.payer.org, new.id))


def _patience_seconds() -> float:
    """Return how long this request may wait for X's allowance and still answer in time."""
    left = remaining_seconds()
    return max(MIN_PATIENCE_SECONDS, (30.0 if left is None else left) - ANSWER_SECONDS)
