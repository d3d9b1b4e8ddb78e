"""What callers may do with collections."""

from __future__ import annotations

from castor_chassis import Wakeup
from twitter_service.billing.budget import Payer
from twitter_service.collections.model import Collection, NewCollection
from twitter_service.collections.repository import CollectionRepository
from twitter_service.collections.scheduler import CollectionScheduler
from twitter_service.x.errors import XNotConfigured


class CollectionService:
    """Keeps collections; ``changed`` wakes the scheduler."""

    def __init__(
        self,
        collections: CollectionRepository,
        scheduler: CollectionScheduler,
        changed: Wakeup,
        *,
        is_configured: bool,
    ) -> None:
        self._collections = collections
        self._scheduler = scheduler
        self._changed = changed
        self._is_configured = is_configured

    async def create(self, new: NewCollection, payer: Payer) -> Collection:
        """Keep a search up for the payer's organisation.

        Raises ``XNotConfigured``, ``CollectionExists`` and the errors of a bad query.
        """
        if not self._is_configured:
            raise XNotConfigured
        await self._scheduler.queries(new.query)
        created = await self._collections.add(new, payer)
        self._changed.set()
        return created

    async def get(self, org: str, collection_id: str) -> Collection:
        """Return a collection; raises ``CollectionNotFound``."""
        return await self._collections.get(org, collection_id)

    async def find(self, org: str, after: str, limit: int) -> list[Collection]:
        """Return the collections of an organisation in order of id."""
        return await self._collections.find(org, after, limit)

    async def enable(self, org: str, collection_id: str, enabled: bool) -> Collection:
        """Resume or pause a collection; raises ``CollectionNotFound``."""
        changed = await self._collections.enable(org, collection_id, enabled)
        self._changed.set()
        return changed

    async def delete(self, org: str, collection_id: str) -> Collection:
        """Delete a collection and what it has not read yet; raises ``CollectionNotFound``. Its tweets stay."""
        return await self._collections.delete(org, collection_id)
