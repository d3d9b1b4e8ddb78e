"""Followers of a peer's change feed: read by long poll, stored page by page together with the cursor."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any, Generic, Self, TypeVar

from pydantic import BaseModel, Field, model_validator

from castor_chassis.client.operation import Operation
from castor_chassis.client.peer import Peer
from castor_chassis.metrics import FEED_ITEMS, FEED_LAG
from castor_chassis.settings import ServiceSettings

POLL_MARGIN_SECONDS = 5.0
"""What a long poll may take beyond its wait, for connecting, sending and reading a page."""
Item = TypeVar("Item", bound=BaseModel)
_reached_end_at: dict[str, float] = {}


class FeedSettings(ServiceSettings):
    """Settings of a service that follows a feed; its settings class derives from this one."""

    feed_page_size: int = Field(500, ge=1, le=1000, description="Changes per page of the feed, one transaction each.")
    feed_wait_seconds: float = Field(20, ge=0, le=25, description="How long an empty feed may wait for a change.")

    @model_validator(mode="after")
    def _poll_fits_the_request(self) -> Self:
        # The producer ends a request at its own request_timeout_seconds: another process, the same default.
        if self.feed_wait_seconds + POLL_MARGIN_SECONDS > self.request_timeout_seconds:
            raise ValueError(
                f"feed_wait_seconds={self.feed_wait_seconds:g} leaves less than {POLL_MARGIN_SECONDS:g} s of "
                f"request_timeout_seconds={self.request_timeout_seconds:g}: lower the first or raise the second"
            )
        return self


class FeedItems(BaseModel, Generic[Item]):
    """What a client reads of a page's ``data``."""

    items: list[Item]


@dataclass(frozen=True, slots=True)
class FeedPage(Generic[Item]):
    """One page of a feed, oldest change first."""

    items: list[Item]
    next_cursor: str
    at_end: bool = False
    """Whether there was nothing after this page when it was made."""


def feed_operation(path: str, item: type[BaseModel]) -> Operation:
    """Return the operation that ``FeedReader`` calls, for the ``OPERATIONS`` of a client."""
    return Operation("GET", path, ("after", "limit", "wait"), FeedItems[item])  # type: ignore[valid-type]


class FeedReader(Generic[Item]):
    """Reads pages of the feed at ``path`` by long poll; ``item`` is the tolerant reader of one change."""

    def __init__(self, peer: Peer, path: str, item: type[Item], settings: FeedSettings) -> None:
        self._peer = peer
        self._path = path
        self._items: type[FeedItems[Item]] = FeedItems[item]  # type: ignore[valid-type]
        self._limit = settings.feed_page_size
        self._wait = settings.feed_wait_seconds

    async def page(self, after: str) -> FeedPage[Item]:
        """Return the changes after the cursor ``after``, waiting for the first one at the end of the feed.

        Raises ``PeerError`` when the peer is away, ``pydantic.ValidationError`` when its answer is not readable.
        """
        params = {"after": after, "limit": self._limit, "wait": f"{self._wait:g}"}
        reply = await self._peer.get(self._path, params=params, timeout_seconds=self._wait + POLL_MARGIN_SECONDS)
        items = self._items.model_validate(reply.data).items
        cursor = str(reply.meta.get("next_cursor") or after)
        return FeedPage(items, cursor, bool(reply.meta.get("at_end", not items)))


async def _nothing() -> None:
    return


async def follow(
    name: str,
    *,
    load_cursor: Callable[[], Awaitable[str]],
    fetch: Callable[[str], Awaitable[FeedPage[Any]]],
    apply: Callable[[list[Any], str], Awaitable[None]],
    caught_up: Callable[[], Awaitable[None]] = _nothing,
    idle_seconds: float = 0.2,
) -> None:
    """Follow a feed until cancelled; raises what ``fetch`` and the store raise, and is then started again.

    ``fetch(cursor)`` may wait for a change. ``apply(items, next_cursor)`` stores the items and the cursor in one
    transaction, so that an interrupted page is applied again whole or not at all. ``caught_up()`` is called each time
    the end is reached, after the last page was stored. ``idle_seconds`` pass between two empty pages.
    """
    # Kept across restarts of the worker: an outage of the producer must not make the lag look small.
    _reached_end_at.setdefault(name, time.time())
    FEED_LAG.labels(name).set_function(lambda: time.time() - _reached_end_at[name])
    cursor = await load_cursor()
    while True:
        page = await fetch(cursor)
        if page.items:
            await apply(page.items, page.next_cursor)
            FEED_ITEMS.labels(name).inc(len(page.items))
            cursor = page.next_cursor
        if page.at_end or not page.items:
            _reached_end_at[name] = time.time()
            await caught_up()
        if not page.items:
            await asyncio.sleep(idle_seconds)
