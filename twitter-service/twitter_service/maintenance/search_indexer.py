"""Makes stored tweets findable by their words: in the background, so that taking tweets in stays fast."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from contextlib import suppress

from twitter_service.maintenance.search_index_repository import WordStore
from twitter_service.metrics import SEARCH_BEHIND

WINDOW = 1_000
"""Changes per transaction."""


class WordIndexer:
    """The background work of one replica, to be run under a lease; steps aside for imports of its own process."""

    def __init__(
        self,
        store: WordStore,
        *,
        is_importing: Callable[[], bool],
        most_lag_seconds: float,
        poll_seconds: float = 0.5,
    ) -> None:
        self._store = store
        self._is_importing = is_importing
        self._most_lag = most_lag_seconds
        self._poll_seconds = poll_seconds
        self._asked = asyncio.Event()

    def ask(self) -> None:
        """Say that tweets were stored."""
        self._asked.set()

    async def run(self) -> None:
        """Work for ever; raises ``DatabaseUnavailable`` when the store is away."""
        yields_until = time.monotonic() + self._most_lag
        while True:
            while self._is_importing() and time.monotonic() < yields_until:  # noqa: ASYNC110
                await asyncio.sleep(self._poll_seconds)
            seen, behind = await self._store.index(WINDOW)
            SEARCH_BEHIND.set(max(0, behind))
            if seen:
                continue
            yields_until = time.monotonic() + self._most_lag
            self._asked.clear()
            with suppress(TimeoutError):
                async with asyncio.timeout(self._poll_seconds):
                    await self._asked.wait()
