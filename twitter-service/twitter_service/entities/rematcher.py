"""Matches stored tweets anew when entities change, window by window."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Collection
from contextlib import suppress

from twitter_service.entities.repository import EntityStore
from twitter_service.metrics import REMATCHED

WINDOW = 1_000
"""Tweets per transaction: about 100 ms where all of them change, during which other writers wait."""


class Rematcher:
    """Works off entities whose terms changed; how far it is stands in the store, so any replica goes on."""

    def __init__(self, store: EntityStore, *, on_news: Callable[[], None], poll_seconds: float = 1.0) -> None:
        self._store = store
        self._on_news = on_news
        self._poll_seconds = poll_seconds
        self._asked = asyncio.Event()

    def ask(self) -> None:
        """Say that entities changed."""
        self._asked.set()

    async def run(self) -> None:
        """Work for ever."""
        while True:
            if await self.step():
                continue
            with suppress(TimeoutError):
                async with asyncio.timeout(self._poll_seconds):
                    await self._asked.wait()
            self._asked.clear()

    async def step(self) -> bool:
        """Match one window; False when nothing is left to do."""
        changed = await self._store.rematch_window(WINDOW)
        if changed:
            REMATCHED.inc(changed)
            self._on_news()
        return changed is not None

    async def finish(self, entity_ids: Collection[str]) -> None:
        """Work until all stored tweets are matched against these entities."""
        while set(entity_ids) & set(await self._store.matching_ids()):
            await self.step()
