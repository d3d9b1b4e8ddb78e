"""Matches stored tweets again when entities change, a batch at a time."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Collection

from castor_chassis import Wakeup
from twitter_service.entities.rematch_repository import RematchRepository
from twitter_service.metrics import REMATCHED

BATCH_TWEETS = 1_000
"""Tweets per transaction: about 100 ms where all of them change, during which other writers wait."""
POLL_SECONDS = 1.0


class Rematcher:
    """The background work of one replica, to be run under a lease; its progress is in the store."""

    def __init__(self, repository: RematchRepository, wakeup: Wakeup, *, on_change: Callable[[], None]) -> None:
        self._repository = repository
        self._wakeup = wakeup
        self._on_change = on_change

    async def run(self) -> None:
        """Run until cancelled; ``wakeup`` says that entities changed. Raises ``DatabaseUnavailable``."""
        while True:
            if not await self.step():
                await self._wakeup.wait(POLL_SECONDS)

    async def step(self) -> bool:
        """Match one batch; False when nothing is left to do."""
        changed = await self._repository.rematch_next(BATCH_TWEETS)
        if changed:
            REMATCHED.inc(changed)
            self._on_change()
        return changed is not None

    async def finish(self, entity_ids: Collection[str], after_step: Callable[[], Awaitable[None]]) -> None:
        """Work until all stored tweets are matched against these entities; an error of ``after_step`` ends it."""
        while set(entity_ids) & set(await self._repository.matching_ids()):
            await self.step()
            await after_step()
