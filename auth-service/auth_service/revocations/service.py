"""What was revoked here: stored in PostgreSQL, held in memory for whoever asks, and announced through Redis."""

from __future__ import annotations

import asyncio
import contextlib
import time
from bisect import bisect_right
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from datetime import timedelta

import asyncpg
import structlog
from redis.asyncio import Redis

from auth_service.metrics import REVOCATION_PUBLISH_ERRORS
from auth_service.revocations import repository
from auth_service.revocations.repository import StoredRevocation
from castor_chassis import Postgres, ServiceError, Unavailable, Wakeup, redis_optional
from castor_chassis.security.revocation import NOTIFY_SECONDS, RevocationBatch, RevocationList, channel

log = structlog.get_logger("castor.auth.revocations")
READ_SECONDS = 0.3
"""How late a revocation of another replica is known here at most."""
PAGE = 10_000
_LEEWAY = timedelta(seconds=10)
_DELETE_BATCH = 1000


class Revocations:
    """Revokes, and answers other services' questions about what was revoked.

    ``held`` is the list that this service's own token verifier consults. ``token_seconds`` is the longest life of a
    token, those of services and machines included: a revocation is kept for so long.
    """

    def __init__(
        self, postgres: Postgres, held: RevocationList, redis: Redis | None, *, issuer: str, token_seconds: int
    ) -> None:
        self._postgres = postgres
        self._held = held
        self._redis = redis
        self._channel = channel(issuer)
        self._lifetime = timedelta(seconds=token_seconds) + _LEEWAY
        self._log: list[StoredRevocation] = []
        self._loaded = False
        self._reading = asyncio.Lock()
        self._changed = Wakeup()

    async def add(self, db: asyncpg.Connection, kind: str, subjects: Sequence[str]) -> None:
        """Revoke within a transaction, as its last statement: other transactions that revoke wait for its end."""
        if subjects:
            await repository.insert(db, kind, subjects, self._lifetime)

    @asynccontextmanager
    async def transaction(self) -> AsyncIterator[asyncpg.Connection]:
        """Give a transaction to revoke in; what it revoked is in force here, and announced, when it has committed."""
        async with self._postgres.transaction() as db:
            yield db
        await self.settle()

    async def settle(self) -> None:
        """Put in force here, and announce, what was just committed.

        When PostgreSQL is away in between, ``run`` does it later.
        """
        with contextlib.suppress(ServiceError):
            await self.read()
        self._changed.set()

    async def read(self) -> None:
        """Take in what is new in PostgreSQL."""
        async with self._reading:
            epoch = await repository.last_epoch(self._postgres)
            if self._loaded and epoch == self._held.epoch:
                return
            after = self._held.epoch if epoch > self._held.epoch else 0
            fresh = await repository.between(self._postgres, after, epoch)
            self._held.add(RevocationBatch(epoch, [stored.revocation for stored in fresh]))
            self._log = [*self._current(), *fresh] if after else fresh
            self._loaded = True

    def _current(self) -> list[StoredRevocation]:
        # Entries that the list has replaced by its issued-before cut-off need not be listed one by one.
        cutoff, now = self._held.issued_after, time.time()
        return [
            stored
            for stored in self._log
            if stored.revocation.revoked_at > cutoff and stored.revocation.expires_at > now
        ]

    async def since(self, after: int) -> RevocationBatch:
        """Return what was revoked after an epoch, whole epochs only; raises ``Unavailable`` before it is loaded.

        Everything when there was no such epoch yet: the database was restored from a backup.
        """
        if not self._loaded:
            raise Unavailable(reason="The revocations have not been loaded yet", retry_after_seconds=1)
        if after > self._held.epoch:
            with contextlib.suppress(ServiceError):
                await self.read()
        if after > self._held.epoch:
            after = 0
        start = bisect_right(self._log, after, key=lambda stored: stored.epoch)
        if start == len(self._log):
            return RevocationBatch(self._held.epoch, [], self._held.issued_after)
        last = self._log[min(start + PAGE, len(self._log)) - 1].epoch
        end = bisect_right(self._log, last, key=lambda stored: stored.epoch)
        items, more = [stored.revocation for stored in self._log[start:end]], end < len(self._log)
        return RevocationBatch(last if more else self._held.epoch, items, self._held.issued_after, more)

    async def run(self) -> None:
        """Read and announce until cancelled; without PostgreSQL the last known epoch is announced."""
        while True:
            with contextlib.suppress(ServiceError):
                await self.read()
            await self._announce()
            await self._changed.wait(min(READ_SECONDS, NOTIFY_SECONDS))

    async def _announce(self) -> None:
        if self._redis is None or not self._loaded:
            return
        # Without Redis other services notice that no epoch arrives, and ask for revocations themselves.
        with redis_optional(REVOCATION_PUBLISH_ERRORS):
            await self._redis.publish(self._channel, self._held.epoch)

    async def delete_expired(self) -> None:
        """Delete revocations whose tokens have expired."""
        while await repository.delete_expired(self._postgres, _DELETE_BATCH) == _DELETE_BATCH:
            log.info("revocations_forgotten", revocations=_DELETE_BATCH)
