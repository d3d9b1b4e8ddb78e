"""The stream of X followed for ever: what a disconnect made it miss is read by search.

Every collection has a checkpoint: up to it all posts are stored, or a filling is queued that will store them. It
moves behind what is stored, and, while the stream is quiet, behind the present. Whenever a collection begins to be
carried (the stream opens, a rule is added, its budget has come back) what lies between its checkpoint and now is
queued as a reading of its own, with a seam that overlaps on both sides; the store keeps each post once.
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
from twitter_service.collections.repository import Collection, CollectionStore
from twitter_service.collections.scheduler import OVERLAP, Collector
from twitter_service.metrics import X_BUDGET_SPENT, X_POSTS, X_STREAM_CONNECTS, X_STREAM_OPEN, X_STREAM_WANTED
from twitter_service.searches.ingest import Sink
from twitter_service.tweets.model import snowflake_of
from twitter_service.x.client import XPage
from twitter_service.x.errors import BudgetSpent, XUnauthorized
from twitter_service.x.stream import RULE_LIMIT, Json, XStream, page_parts, tags_of

BEAT_SECONDS = 1.0
RULES_SECONDS = 5.0
"""How soon a new, changed or deleted collection is noticed."""
PROMISE_POSTS = 100
"""What a collection promises ahead of what the stream may bring; below it, it is not followed."""
SEAM = timedelta(seconds=2)

log = structlog.get_logger("twitter.stream")


@dataclass(frozen=True)
class Wanted:
    """A collection that can be followed, and the queries of its rules."""

    collection: Collection
    queries: list[str]


class Follower:
    """Follows the stream for the collections of mode ``stream``; to be run under a lease."""

    def __init__(
        self,
        stream: XStream,
        collections: CollectionStore,
        collector: Collector,
        ledger: Ledger,
        sink: Sink,
        *,
        settle_seconds: float,
    ) -> None:
        self._stream = stream
        self._collections = collections
        self._collector = collector
        self._ledger = ledger
        self._sink = sink
        self._settle = settle_seconds
        self._carried: dict[str, Collection] = {}
        self._rules: dict[str, str] = {}

    async def run(self) -> None:
        """Work for ever; raises ``DatabaseUnavailable`` when the store is away."""
        try:
            await self._follow_for_ever()
        finally:
            X_STREAM_WANTED.set(0)

    async def _follow_for_ever(self) -> None:
        failures = 0
        while True:
            wanted = await self._wanted()
            X_STREAM_WANTED.set(bool(wanted))
            if not wanted:
                await asyncio.sleep(RULES_SECONDS / 5)
                continue
            try:
                await self._follow(wanted)
                failures = 0
            except (Unavailable, XUnauthorized) as error:
                failures += 1
                log.warning("stream_waits", code=error.code, reason=str(error))
            finally:
                await self._let_go()
            await asyncio.sleep(backoff_seconds(failures, base=0.25, cap=60) if failures else 0.05)

    async def _follow(self, wanted: dict[str, Wanted]) -> None:
        """Hold one connection until it ends."""
        await self._set_rules(wanted)
        looked_at = asyncio.get_running_loop().time()
        opened = False
        async with aclosing(self._stream.items(BEAT_SECONDS)) as arriving:
            async for items in arriving:
                if not opened:
                    opened = True
                    X_STREAM_CONNECTS.inc()
                    X_STREAM_OPEN.set(1)
                    await self._carry([one.collection for one in wanted.values()])
                await self._take(items)
                if asyncio.get_running_loop().time() - looked_at > RULES_SECONDS:
                    looked_at = asyncio.get_running_loop().time()
                    await self._change_rules()
        log.warning("stream_ended", reason=self._stream.reason)

    async def _wanted(self) -> dict[str, Wanted]:
        """Return the collections that can be followed; why another cannot is noted with it."""
        wanted = {}
        for collection in await self._collections.streams():
            try:
                await self._ledger.reserve(f"stream:{collection.id}", collection.payer, PROMISE_POSTS)
                queries = await self._collector.queries(collection, RULE_LIMIT)
                wanted[collection.id] = Wanted(collection, queries)
            except BudgetSpent as error:
                X_BUDGET_SPENT.labels(collection.purpose).inc()
                await self._collections.left([collection.id], error.code, str(error))
            except Unavailable:
                raise
            except ServiceError as error:
                await self._collections.left([collection.id], error.code, str(error))
        return wanted

    async def _set_rules(self, wanted: dict[str, Wanted]) -> None:
        rules = {f"{key}:{number}": query for key, one in wanted.items() for number, query in enumerate(one.queries)}
        if rules != self._rules:
            await self._stream.set_rules(rules)
            self._rules = rules

    async def _change_rules(self) -> None:
        """Carry what has become wanted, and leave what no longer is, without a disconnect."""
        wanted = await self._wanted()
        await self._set_rules(wanted)
        gone = [key for key in self._carried if key not in wanted]
        for key in gone:
            del self._carried[key]
            await self._ledger.release(f"stream:{key}")
        await self._carry([one.collection for key, one in wanted.items() if key not in self._carried])

    async def _carry(self, collections: Sequence[Collection]) -> None:
        until = datetime.now(UTC) + SEAM
        for collection in collections:
            await self._collector.fill(collection, until, self._settle)
            # The filling is queued, so the checkpoint may pass it.
            await self._collections.advance([collection.id], snowflake_of(until - SEAM))
            await self._collections.followed(collection.id)
            self._carried[collection.id] = collection

    async def _take(self, items: Sequence[Json]) -> None:
        if not items:
            if self._carried:
                await self._collections.advance(list(self._carried), snowflake_of(datetime.now(UTC) - OVERLAP))
            return
        tweets, users = page_parts(items)
        stored = await self._sink.store(XPage(tweets, users), "stream")
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

    async def _let_go(self) -> None:
        X_STREAM_OPEN.set(0)
        carried, self._carried = list(self._carried), {}
        if carried:
            await self._collections.left(carried, None, None)
        # Whoever follows next cannot know what the rules were.
        self._rules = {}
