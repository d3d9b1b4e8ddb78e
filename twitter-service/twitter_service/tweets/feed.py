"""The pull feed by long poll: one watcher asks the database on behalf of everyone who waits."""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import UTC, datetime

from castor_chassis import Broadcast, Overloaded, Wakeup
from castor_chassis.context import remaining_seconds
from twitter_service.metrics import FEED_HEAD, FEED_WAITERS, PENDING, SCORE_LAG
from twitter_service.tweets.feed_repository import FeedRepository, FeedState
from twitter_service.tweets.records import Change

POLL_SECONDS = 0.5
MARGIN_SECONDS = 1.0
"""A long poll answers this long before the deadline of its caller."""


class Feed:
    """Pages of the feed; at most ``max_waiters`` requests wait for a change at a time."""

    def __init__(self, repository: FeedRepository, *, max_waiters: int, is_draining: Callable[[], bool]) -> None:
        self._repository = repository
        self._max_waiters = max_waiters
        self._is_draining = is_draining
        self._head = 0
        self._waiters = 0
        self._written = Wakeup()
        self._changed = Broadcast()

    def look(self) -> None:
        """Look for changes now: this process has just written one."""
        self._written.set()

    async def watch(self) -> None:
        """Look for changes until cancelled, those of other replicas included; raises ``DatabaseUnavailable``."""
        while True:
            self._publish(await self._repository.state())
            await self._written.wait(POLL_SECONDS)

    def _publish(self, state: FeedState) -> None:
        FEED_HEAD.set(state.head)
        PENDING.set(state.pending)
        stored_at = state.oldest_pending_stored_at
        SCORE_LAG.set((datetime.now(UTC) - stored_at).total_seconds() if stored_at else 0)
        if state.head != self._head:
            self._head = state.head
            self._changed.notify()

    async def page(self, after: int, limit: int, wait_seconds: float) -> list[Change]:
        """Return what changed after number ``after``, waiting for the first change where there is none.

        Raises ``Overloaded`` when too many wait already.
        """
        # Every change up to this head is seen by the query below. The head can be above all of them, because old
        # tombstones are deleted.
        seen = self._head
        changes = await self._repository.changes(after, limit)
        if changes or wait_seconds <= 0:
            return changes
        if self._waiters >= self._max_waiters:
            raise Overloaded(limit=self._max_waiters, retry_after_seconds=1)
        self._waiters += 1
        FEED_WAITERS.set(self._waiters)
        try:
            await self._wait(lambda: self._head > after and self._head != seen, wait_seconds)
        finally:
            self._waiters -= 1
            FEED_WAITERS.set(self._waiters)
        return await self._repository.changes(after, limit)

    async def _wait(self, has_news: Callable[[], bool], wait_seconds: float) -> None:
        left = remaining_seconds()
        until = time.monotonic() + (wait_seconds if left is None else min(wait_seconds, left - MARGIN_SECONDS))
        while not has_news() and not self._is_draining() and (rest := until - time.monotonic()) > 0:
            # In slices, because nothing notifies when the service begins to drain.
            await self._changed.wait_for(has_news, min(rest, POLL_SECONDS))
