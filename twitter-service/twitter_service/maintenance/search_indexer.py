"""Adds the words of stored tweets to the full-text index: in the background, so that storing tweets stays fast."""

from __future__ import annotations

from castor_chassis import Wakeup
from twitter_service.maintenance.import_pause import ImportPause
from twitter_service.maintenance.search_index_repository import SearchIndexRepository
from twitter_service.metrics import SEARCH_BEHIND

BATCH_CHANGES = 1_000
"""Changes per transaction."""
POLL_SECONDS = 0.5


class SearchIndexer:
    """The background work of one replica, to be run under a lease; imports of its own process go first."""

    def __init__(self, index: SearchIndexRepository, pause: ImportPause, wakeup: Wakeup) -> None:
        self._index = index
        self._pause = pause
        self._wakeup = wakeup

    async def run(self) -> None:
        """Run until cancelled; ``wakeup`` says that tweets were stored. Raises ``DatabaseUnavailable``."""
        self._pause.restart()
        while True:
            await self._pause.wait()
            if not await self.index_some():
                self._pause.restart()
                await self._wakeup.wait(POLL_SECONDS)

    async def index_some(self) -> int:
        """Index the next changes and return how many there were."""
        seen, behind = await self._index.add_next(BATCH_CHANGES)
        SEARCH_BEHIND.set(max(0, behind))
        return seen
