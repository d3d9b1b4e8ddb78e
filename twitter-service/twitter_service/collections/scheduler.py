"""Queues the runs of collections, and the jobs that fill gaps of the stream.

A checkpoint moves only when a run has read everything; a run that meets its cap or the end of the budget is
paused and goes on, so nothing between two checkpoints is left out.
"""

from __future__ import annotations

import asyncio
import uuid
from datetime import UTC, datetime, timedelta

import structlog

from castor_chassis import ServiceError, Wakeup
from twitter_service.billing.ledger import Ledger
from twitter_service.collections.model import Collection
from twitter_service.collections.repository import CollectionRepository
from twitter_service.entities.repository import EntityRepository
from twitter_service.searches.model import Kind, NewJob, SavedQuery, search_of
from twitter_service.searches.planner import END_LAG, RECENT_DAYS, searchable
from twitter_service.searches.repository import SearchRepository
from twitter_service.tweets.model import snowflake_of, time_of_snowflake
from twitter_service.x.query_builder import RECENT_LIMIT, queries
from twitter_service.x.span import Span

OVERLAP = timedelta(seconds=60)
"""What is read again at a seam: X may index or deliver a post late, and the same UTC day it is free."""
POLL_SECONDS = 1.0
PURGE_SECONDS = 600.0
_REACH = timedelta(days=RECENT_DAYS) - timedelta(minutes=30)
"""How far back a run may begin: recent search, less a margin for the time that the run waits."""

log = structlog.get_logger("castor.twitter.collections")


class CollectionScheduler:
    """The background work of one replica, to be run under a lease; ``queued`` wakes the worker of the jobs."""

    def __init__(
        self,
        collections: CollectionRepository,
        searches: SearchRepository,
        entities: EntityRepository,
        ledger: Ledger,
        *,
        wakeup: Wakeup,
        queued: Wakeup,
    ) -> None:
        self._collections = collections
        self._searches = searches
        self._entities = entities
        self._ledger = ledger
        self._wakeup = wakeup
        self._queued = queued

    async def run(self) -> None:
        """Run until cancelled; ``wakeup`` says that collections changed. Raises ``DatabaseUnavailable``."""
        purged_at = 0.0
        while True:
            for collection in await self._collections.take_due():
                await self._run_due(collection)
            if asyncio.get_running_loop().time() - purged_at > PURGE_SECONDS:
                purged_at = asyncio.get_running_loop().time()
                await self._ledger.purge_expired()
            await self._wakeup.wait(POLL_SECONDS)

    async def queries(self, query: SavedQuery, limit: int = RECENT_LIMIT) -> list[str]:
        """Return what X is asked, with the entity's terms as they are now; raises the errors of a bad query."""
        return queries(await searchable(self._entities, search_of(query), query.get("entity")), limit)

    async def fill_gap(self, collection: Collection, until: datetime, wait_seconds: float) -> None:
        """Queue a job that reads, in ``wait_seconds``, what the stream may have missed up to ``until``."""
        since = max(_checkpoint(collection) - OVERLAP, collection.created_at, datetime.now(UTC) - _REACH)
        await self._note_missed(collection)
        span = Span(None, until.replace(microsecond=0), since_id=snowflake_of(since))
        await self._queue(collection, "gap", span, not_before=until + timedelta(seconds=wait_seconds))
        log.info("gap_queued", collection=collection.key, seconds=round((until - since).total_seconds(), 1))

    async def _run_due(self, collection: Collection) -> None:
        """Resume what is paused; begin a new run where none is under way."""
        unfinished = await self._collections.unfinished_jobs(collection.key)
        for job in unfinished:
            if job.state == "paused":
                await self._searches.requeue(job.id, collection.max_posts)
                self._queued.set()
        if collection.mode == "search" and not unfinished:
            try:
                await self._begin_run(collection)
            except ServiceError as error:
                await self._collections.mark_idle([collection.key], error.code, str(error))

    async def _begin_run(self, collection: Collection) -> None:
        now = datetime.now(UTC)
        end = (now - END_LAG).replace(microsecond=0)
        is_cut = await self._note_missed(collection)
        await self._queue(collection, "collection", Span(None, end, since_id=None if is_cut else collection.since_id))

    async def _note_missed(self, collection: Collection) -> bool:
        """Where X no longer has the posts after the checkpoint, let the collection say so, and return True."""
        since, earliest = _checkpoint(collection), datetime.now(UTC) - _REACH
        if since >= earliest:
            return False
        reason = f"Posts from {since:%Y-%m-%d} on were beyond the {RECENT_DAYS} days of recent search."
        await self._collections.note_missed(collection.key, since, earliest, reason)
        return True

    async def _queue(self, collection: Collection, kind: Kind, span: Span, not_before: datetime | None = None) -> None:
        new = NewJob(
            uuid.uuid4().hex, kind, collection.payer, {**collection.query}, await self.queries(collection.query), span,
            collection.max_posts, collection_id=collection.key, not_before=not_before,
        )  # fmt: skip
        await self._searches.add(new)
        self._queued.set()


def _checkpoint(collection: Collection) -> datetime:
    return collection.created_at if collection.since_id is None else time_of_snowflake(collection.since_id)
