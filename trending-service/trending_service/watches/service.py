"""What users may do with their watches."""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from castor_chassis import NotFound
from trending_service.errors import TooManyScopes, TooManyWatches, WebhooksOff
from trending_service.watches.delivery import secret_of
from trending_service.watches.model import EventFilter, Happening, NewWatch, Watch, WatchEvent
from trending_service.watches.repository import WatchRepository
from trending_service.watches.targets import check_url

MOST_PER_OWNER = 100
MOST_SCOPES = 20
"""Places and entities, and pairs of them, that one owner may watch: each is looked for by itself."""


@dataclass(frozen=True, slots=True)
class WatchService:
    """Watches of one owner; ``key`` makes the secrets of webhooks, None: there are none."""

    watches: WatchRepository
    key: bytes | None
    allow_private: bool

    async def add(self, owner: str, new: NewWatch) -> tuple[Watch, str | None]:
        """Store a watch and return it with its signing secret.

        Raises ``WebhooksOff`` without a key, ``Invalid`` for a target that is not public, ``TooManyWatches``,
        ``TooManyScopes``.
        """
        if new.url is not None:
            if self.key is None:
                raise WebhooksOff
            check_url(new.url, allow_private=self.allow_private)
        bounds = {"most": MOST_PER_OWNER, "most_scopes": MOST_SCOPES}
        watch = await self.watches.add("w_" + secrets.token_hex(12), owner, new, **bounds)
        if watch is None and len(await self.watches.of(owner)) >= MOST_PER_OWNER:
            raise TooManyWatches(most=MOST_PER_OWNER)
        if watch is None:
            raise TooManyScopes(most=MOST_SCOPES)
        return watch, self._secret(watch)

    async def of(self, owner: str) -> list[Watch]:
        """Return the watches of ``owner``."""
        return await self.watches.of(owner)

    async def get(self, watch_id: str, owner: str) -> Watch:
        """Return a watch; raises ``NotFound``, also for one of somebody else."""
        watch = await self.watches.get(watch_id, owner)
        if watch is None:
            raise NotFound
        return watch

    async def remove(self, watch_id: str, owner: str) -> None:
        """Delete a watch and its events; raises ``NotFound``."""
        if not await self.watches.remove(watch_id, owner):
            raise NotFound

    async def test(self, watch_id: str, owner: str) -> WatchEvent:
        """Queue a test event and return it; raises ``NotFound``."""
        watch = await self.get(watch_id, owner)
        now = datetime.now(UTC)
        happening = Happening(f"test:{secrets.token_hex(8)}", "test", {"message": f"Test of the watch '{watch.name}'"})
        seq = await self.watches.tell(watch, happening, now)
        assert seq is not None
        return (await self.watches.events(watch.id, EventFilter(seq - 1, 1)))[0]

    async def rotate(self, watch_id: str, owner: str) -> tuple[Watch, str | None]:
        """Make a new secret; the one before signs as well for a day. Raises ``NotFound``, ``WebhooksOff``."""
        if self.key is None:
            raise WebhooksOff
        watch = await self.watches.rotate(watch_id, owner)
        if watch is None:
            raise NotFound
        return watch, self._secret(watch)

    async def events(self, watch_id: str, owner: str, wanted: EventFilter) -> Sequence[WatchEvent]:
        """Return events of a watch, oldest first; raises ``NotFound``."""
        watch = await self.get(watch_id, owner)
        return await self.watches.events(watch.id, wanted)

    async def revive(self, watch_id: str, owner: str, seq: int) -> None:
        """Try a dead event again, with the others of its digest; raises ``NotFound`` when it is not dead."""
        watch = await self.get(watch_id, owner)
        if not await self.watches.revive(watch.id, seq):
            raise NotFound

    def _secret(self, watch: Watch) -> str | None:
        return secret_of(self.key, watch) if self.key is not None and watch.url is not None else None
