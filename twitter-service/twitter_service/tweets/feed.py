"""The pull feed: who asks waits for news without asking the database each on its own."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from contextlib import suppress
from datetime import UTC, datetime

from castor_chassis import Overloaded
from castor_chassis.context import remaining_seconds
from twitter_service.metrics import FEED_HEAD, FEED_WAITERS, PENDING, SCORE_LAG
from twitter_service.tweets.repository import FeedState, Row, TweetStore

POLL_SECONDS = 0.5
MARGIN_SECONDS = 1.0
"""A long poll answers this long before its caller stops waiting."""


class Feed:
    """Pages of the feed; one watcher looks for news on behalf of all who wait."""

    def __init__(self, store: TweetStore, *, max_waiters: int, is_draining: Callable[[], bool]) -> None:
        self._store = store
        self._max_waiters = max_waiters
        self._is_draining = is_draining
        self._head = 0
        self._waiters = 0
        self._asked = asyncio.Event()
        self._news = asyncio.Event()

    def look(self) -> None:
        """Look for news now: this process has just written."""
        self._asked.set()

    async def watch(self) -> None:
        """Look for news for ever, those of other replicas included."""
        while True:
            self._asked.clear()
            self._publish(await self._store.state())
            with suppress(TimeoutError):
                async with asyncio.timeout(POLL_SECONDS):
                    await self._asked.wait()

    def _publish(self, state: FeedState) -> None:
        FEED_HEAD.set(state.head)
        PENDING.set(state.pending)
        stored_at = state.oldest_pending_stored_at
        SCORE_LAG.set((datetime.now(UTC) - stored_at).total_seconds() if stored_at else 0)
        if state.head > self._head:
            self._head = state.head
            self._news.set()
            self._news = asyncio.Event()

    async def page(self, after: int, limit: int, wait_seconds: float) -> list[Row]:
        """Return what changed after number ``after``, waiting for the first change where there is none.

        Raises ``Overloaded`` when too many wait already.
        """
        rows = await self._store.feed(after, limit)
        if rows or wait_seconds <= 0:
            return rows
        if self._waiters >= self._max_waiters:
            raise Overloaded(limit=self._max_waiters, retry_after_seconds=1)
        self._waiters += 1
        FEED_WAITERS.set(self._waiters)
        try:
            await self._wait(after, wait_seconds)
        finally:
            self._waiters -= 1
            FEED_WAITERS.set(self._waiters)
        return await self._store.feed(after, limit)

    async def _wait(self, after: int, wait_seconds: float) -> None:
        left = remaining_seconds()
        until = time.monotonic() + (wait_seconds if left is None else min(wait_seconds, left - MARGIN_SECONDS))
        while self._head <= after and not self._is_draining() and (rest := until - time.monotonic()) > 0:
            with suppress(TimeoutError):
                async with asyncio.timeout(min(rest, POLL_SECONDS)):
                    await self._news.wait()
