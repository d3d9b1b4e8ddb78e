"""Collections on a schedule: each run is a reading from the last checkpoint, each gap of the stream is one too.

A checkpoint moves only when a run has read everything; a run that meets its cap or the end of the budget is
paused and goes on, so nothing between two checkpoints is left out.
"""

from __future__ import annotations

import asyncio
import uuid
from collections.abc import Callable
from contextlib import suppress
from datetime import UTC, datetime, timedelta

import structlog

from castor_chassis import ServiceError
from twitter_service.api.schemas.searches import Query
from twitter_service.billing.ledger import Ledger
from twitter_service.collections.repository import Collection, CollectionStore, Row
from twitter_service.entities.repository import EntityStore
from twitter_service.searches.planner import END_LAG, RECENT_DAYS, searchable
from twitter_service.searches.repository import Kind, NewSearch, SearchStore
from twitter_service.tweets.model import snowflake_of, time_of_snowflake
from twitter_service.x.client import Span
from twitter_service.x.errors import XNotConfigured
from twitter_service.x.query_builder import RECENT_LIMIT, queries

OVERLAP = timedelta(seconds=60)
"""What is read again at a seam: X may index or deliver a post late, and the same UTC day it is free."""
WINDOW_MARGIN = timedelta(minutes=30)
TICK_SECONDS = 1.0
TIDY_SECONDS = 600.0

log = structlog.get_logger("twitter.collections")


class Collector:
    """Queues the runs of collections and the fillings of gaps."""

    def __init__(
        self,
        collections: CollectionStore,
        searches: SearchStore,
        entities: EntityStore,
        ledger: Ledger,
        on_queued: Callable[[], None],
    ) -> None:
        self._collections = collections
        self._searches = searches
        self._entities = entities
        self._ledger = ledger
        self._on_queued = on_queued
        self._asked = asyncio.Event()

    def ask(self) -> None:
        """Say that collections have changed."""
        self._asked.set()

    async def run(self) -> None:
        """Work for ever, to be run under a lease; raises ``DatabaseUnavailable`` when the store is away."""
        tidied_at = 0.0
        while True:
            for collection in await self._collections.due():
                await self._run_due(collection)
            if asyncio.get_running_loop().time() - tidied_at > TIDY_SECONDS:
                tidied_at = asyncio.get_running_loop().time()
                await self._ledger.tidy()
            with suppress(TimeoutError):
                async with asyncio.timeout(TICK_SECONDS):
                    await self._asked.wait()
            self._asked.clear()

    async def queries(self, collection: Collection, limit: int = RECENT_LIMIT) -> list[str]:
        """Return what X is asked for a collection, as its entity is now; raises the errors of a bad query."""
        return await self.check(collection.query, limit)

    async def check(self, wire: Row, limit: int = RECENT_LIMIT) -> list[str]:
        """Return what X would be asked; raises the errors of a bad query."""
        query = Query.model_validate(wire)
        return queries(await searchable(self._entities, query.search(), query.entity), limit)

    async def fill(self, collection: Collection, until: datetime, wait_seconds: float) -> None:
        """Queue the reading of what the stream may have missed up to ``until``."""
        since = max(_from(collection) - OVERLAP, collection.created_at, datetime.now(UTC) - _REACH)
        span = Span(None, until.replace(microsecond=0), since_id=snowflake_of(since))
        await self._queue(collection, "gap", span, not_before=until + timedelta(seconds=wait_seconds))
        log.info("gap_queued", collection=collection.id, seconds=round((until - since).total_seconds(), 1))

    async def _run_due(self, collection: Collection) -> None:
        """Go on with what is paused; begin a new run where none is under way."""
        waiting = await self._collections.unfinished(collection.id)
        for reading in waiting:
            if reading["state"] == "paused":
                await self._searches.requeue(reading["id"], collection.max_posts)
                self._on_queued()
        if collection.mode == "search" and not waiting:
            try:
                await self._begin(collection)
            except ServiceError as error:
                await self._collections.left([collection.id], error.code, str(error))

    async def _begin(self, collection: Collection) -> None:
        now = datetime.now(UTC)
        end = (now - END_LAG).replace(microsecond=0)
        since_id = collection.since_id
        if since_id is not None and time_of_snowflake(since_id) < now - _REACH:
            # X no longer has it; what lies between is lost to search, and said so.
            since = time_of_snowflake(since_id)
            reason = f"Posts from {since:%Y-%m-%d} on were beyond the {RECENT_DAYS} days of recent search."
            await self._collections.left([collection.id], "search_window", reason)
            since_id = None
        await self._queue(collection, "collection", Span(None, end, since_id=since_id))

    async def _queue(self, collection: Collection, kind: Kind, span: Span, not_before: datetime | None = None) -> None:
        new = NewSearch(
            uuid.uuid4().hex, kind, collection.payer, collection.query,
            await self.queries(collection), span, collection.max_posts,
            collection_id=collection.id, not_before=not_before,
        )  # fmt: skip
        await self._searches.add(new)
        self._on_queued()


class Collections:
    """What callers may do with collections."""

    def __init__(self, store: CollectionStore, collector: Collector, *, is_configured: bool) -> None:
        self.store = store
        self._collector = collector
        self._is_configured = is_configured

    async def create(self, values: Row, tenant: str) -> Collection:
        """Keep a search up; raises ``XNotConfigured``, ``CollectionExists`` and the errors of a bad query."""
        if not self._is_configured:
            raise XNotConfigured
        await self._collector.check(values["query"])
        created = await self.store.add(values, tenant)
        self._collector.ask()
        return created

    async def enable(self, collection_id: str, enabled: bool) -> Collection:
        """Let a collection go on, or rest; raises ``CollectionNotFound``."""
        changed = await self.store.enable(collection_id, enabled)
        self._collector.ask()
        return changed


_REACH = timedelta(days=RECENT_DAYS) - WINDOW_MARGIN


def _from(collection: Collection) -> datetime:
    return collection.created_at if collection.since_id is None else time_of_snowflake(collection.since_id)
