"""Follows the filtered stream of X; what a disconnect made it miss is read by search.

Every collection has a checkpoint: up to it all posts are stored, or a job is queued that will store them. It advances
with what is stored, and, while the stream is quiet, a minute behind the clock. Whenever the stream begins to carry a
collection (it opens, a rule is added, the budget allows it again), what lies between the checkpoint and now is queued
as a job of kind ``gap``, which overlaps on both sides; each post is stored once.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from contextlib import aclosing
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import structlog

from castor_chassis import ServiceError, Unavailable
from castor_chassis.client.retry import backoff_seconds
from twitter_service.billing.ledger import Ledger
from twitter_service.collections.model import Collection
from twitter_service.collections.repository import CollectionRepository
from twitter_service.collections.scheduler import OVERLAP, CollectionScheduler
from twitter_service.errors import BudgetSpent
from twitter_service.metrics import X_BUDGET_SPENT, X_POSTS, X_STREAM_CONNECTS, X_STREAM_OPEN, X_STREAM_WANTED
from twitter_service.searches.ingest import PageIngest
from twitter_service.tweets.model import snowflake_of
from twitter_service.x.client import XPage
from twitter_service.x.errors import XRejected
from twitter_service.x.span import Json
from twitter_service.x.stream import RULE_LIMIT, XStream, page_parts, tags_of

TICK_SECONDS = 1.0
RULES_SECONDS = 5.0
"""How soon a new, changed or deleted collection is noticed."""
RESERVED_POSTS = 100
"""What is reserved ahead for what the stream may bring; a collection whose budget has less left is not followed."""
SEAM = timedelta(seconds=2)
REFUSED_SECONDS = 900.0
"""How long a rule that X refused is not tried again."""

log = structlog.get_logger("castor.twitter.stream")


@dataclass(frozen=True)
class FollowedCollection:
    """A collection that can be followed, and the queries of its rules."""

    collection: Collection
    queries: list[str]


class StreamFollower:
    """Follows the stream for the collections of mode ``stream``; to be run under a lease."""

    def __init__(
        self,
        stream: XStream,
        collections: CollectionRepository,
        scheduler: CollectionScheduler,
        ledger: Ledger,
        ingest: PageIngest,
        *,
        settle_seconds: float,
    ) -> None:
        self._stream = stream
        self._collections = collections
        self._scheduler = scheduler
        self._ledger = ledger
        self._ingest = ingest
        self._settle = settle_seconds
        self._carried: dict[str, Collection] = {}
        self._rules: dict[str, str] = {}
        self._refused: dict[str, tuple[float, XRejected]] = {}
        """By query: when it may be tried again, and why X refused it."""

    async def run(self) -> None:
        """Run until cancelled; raises ``DatabaseUnavailable``."""
        # A replica that was killed could not say that it follows no longer.
        await self._collections.stop_streaming(None)
        try:
            await self._reconnect()
        finally:
            X_STREAM_WANTED.set(0)

    async def _reconnect(self) -> None:
        failures = 0
        while True:
            followed = await self._followable()
            X_STREAM_WANTED.set(bool(followed))
            if not followed:
                await asyncio.sleep(RULES_SECONDS / 5)
                continue
            try:
                await self._follow(followed)
                failures = 0
            except (Unavailable, XRejected) as error:
                failures += 1
                log.warning("stream_waits", code=error.code, reason=str(error))
            finally:
                await self._stop_carrying()
            await asyncio.sleep(backoff_seconds(failures, base=0.25, cap=60) if failures else 0.05)

    async def _follow(self, followed: dict[str, FollowedCollection]) -> None:
        """Hold one connection until it ends."""
        followed = await self._set_rules(followed)
        if not followed:
            X_STREAM_WANTED.set(0)
            await asyncio.sleep(RULES_SECONDS / 5)
            return
        looked_at = asyncio.get_running_loop().time()
        opened = False
        async with aclosing(self._stream.items(TICK_SECONDS)) as arriving:
            async for items in arriving:
                if not opened:
                    opened = True
                    X_STREAM_CONNECTS.inc()
                    X_STREAM_OPEN.set(1)
                    await self._carry([one.collection for one in followed.values()])
                await self._take(items)
                if asyncio.get_running_loop().time() - looked_at > RULES_SECONDS:
                    looked_at = asyncio.get_running_loop().time()
                    await self._change_rules()
        log.warning("stream_ended", reason=self._stream.reason)

    async def _followable(self) -> dict[str, FollowedCollection]:
        """Return the collections that can be followed; of the others the reason is recorded."""
        followed = {}
        for collection in await self._collections.streamed():
            try:
                queries = await self._scheduler.queries(collection.query, RULE_LIMIT)
                # A rule may be longer than a query; without one the gaps could not be filled.
                await self._scheduler.queries(collection.query)
                await self._ledger.reserve(f"stream:{collection.key}", collection.payer, RESERVED_POSTS)
                followed[collection.key] = FollowedCollection(collection, queries)
            except BudgetSpent as error:
                X_BUDGET_SPENT.labels(collection.purpose).inc()
                await self._collections.mark_idle([collection.key], error.code, str(error))
            except Unavailable:
                raise
            except ServiceError as error:
                await self._collections.mark_idle([collection.key], error.code, str(error))
        return followed

    async def _set_rules(self, followed: dict[str, FollowedCollection]) -> dict[str, FollowedCollection]:
        """Set the rules of collections and return those that X accepts; of the others the reason is recorded."""
        accepted = await self._without_refused(followed)
        rules = {f"{key}:{number}": query for key, one in accepted.items() for number, query in enumerate(one.queries)}
        if rules == self._rules:
            return accepted
        refused = await self._stream.set_rules(rules)
        self._rules = rules
        if not refused:
            return accepted
        until = asyncio.get_running_loop().time() + REFUSED_SECONDS
        self._refused.update((query, (until, error)) for query, error in refused.items())
        # Other rules of the same collections are taken back: nobody would pay for their posts.
        return await self._set_rules(accepted)

    async def _without_refused(self, followed: dict[str, FollowedCollection]) -> dict[str, FollowedCollection]:
        now = asyncio.get_running_loop().time()
        self._refused = {query: (until, error) for query, (until, error) in self._refused.items() if until > now}
        accepted = dict(followed)
        for key, one in followed.items():
            if (query := next((query for query in one.queries if query in self._refused), None)) is not None:
                del accepted[key]
                _, error = self._refused[query]
                await self._ledger.release(f"stream:{key}")
                await self._collections.mark_idle([key], error.code, str(error))
        return accepted

    async def _change_rules(self) -> None:
        """Begin and stop to carry collections as they change, without a disconnect."""
        followed = await self._set_rules(await self._followable())
        gone = [key for key in self._carried if key not in followed]
        for key in gone:
            del self._carried[key]
            await self._ledger.release(f"stream:{key}")
        await self._collections.stop_streaming(gone)
        await self._carry([one.collection for key, one in followed.items() if key not in self._carried])

    async def _carry(self, collections: Sequence[Collection]) -> None:
        until = datetime.now(UTC) + SEAM
        for collection in collections:
            try:
                await self._collections.mark_streaming(collection.key)
                await self._scheduler.fill_gap(collection, until, self._settle)
            except Unavailable:
                raise
            except ServiceError as error:
                # The next look at the collections takes its rules back.
                await self._collections.mark_idle([collection.key], error.code, str(error))
                continue
            # The job that fills the gap is queued, so the checkpoint may pass it.
            await self._collections.advance([collection.key], snowflake_of(until - SEAM))
            self._carried[collection.key] = collection

    async def _take(self, items: Sequence[Json]) -> None:
        if not items:
            if self._carried:
                await self._collections.advance(list(self._carried), snowflake_of(datetime.now(UTC) - OVERLAP))
            return
        tweets, users = page_parts(items)
        stored = await self._ingest.store(XPage(tweets, users), "stream")
        await self._charge(items)
        if stored.ids and self._carried:
            newest = min(max(stored.ids), snowflake_of(datetime.now(UTC)))
            await self._collections.advance(list(self._carried), newest)

    async def _charge(self, items: Sequence[Json]) -> None:
        """Charge each post to the first collection that it was sent for."""
        by_collection: dict[str, list[int]] = {}
        for item in items:
            keys = sorted({tag.rsplit(":", 1)[0] for tag in tags_of(item)} & set(self._carried))
            if keys and str(item["data"].get("id", "")).isdecimal():
                by_collection.setdefault(keys[0], []).append(int(item["data"]["id"]))
        for key, ids in by_collection.items():
            charge = await self._ledger.charge(f"stream:{key}", self._carried[key].payer, ids)
            X_POSTS.labels(self._carried[key].purpose, "yes").inc(charge.billed.posts)
            X_POSTS.labels(self._carried[key].purpose, "no").inc(charge.read - charge.billed.posts)

    async def _stop_carrying(self) -> None:
        X_STREAM_OPEN.set(0)
        carried, self._carried = list(self._carried), {}
        if carried:
            await self._collections.stop_streaming(carried)
        # Another replica may follow next and change the rules.
        self._rules = {}
