"""What was revoked here: stored in PostgreSQL, held in memory for whoever asks, and announced in Redis."""

from __future__ import annotations

import asyncio
import contextlib
import time
from bisect import bisect_right
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from datetime import timedelta

import structlog
from redis.asyncio import Redis
from redis.exceptions import RedisError

from auth_service.metrics import BELL_ERRORS
from auth_service.sessions import repository as session_store
from auth_service.users.repository import AuthStore
from castor_chassis import ServiceError, Unavailable
from castor_chassis.security.revocation import BELL_SECONDS, News, Revocation, RevocationList, channel

log = structlog.get_logger("auth.revocations")
READ_SECONDS = 0.3
"""How late another replica's revocation is known here at most."""
PAGE = 10_000
_LEEWAY = timedelta(seconds=10)
_SWEEP_SECONDS = 600
_SWEEP_BATCH = 1000


class Revocations:
    """Revokes, and tells who asks. ``held`` is what this service's own verifier looks at."""

    def __init__(
        self, store: AuthStore, held: RevocationList, redis: Redis | None, *, issuer: str, token_seconds: int
    ) -> None:
        self._store = store
        self._held = held
        self._redis = redis
        self._channel = channel(issuer)
        self._lifetime = timedelta(seconds=token_seconds) + _LEEWAY
        self._log: list[tuple[int, Revocation]] = []
        self._loaded = False
        self._reading = asyncio.Lock()
        self._changed = asyncio.Event()

    async def add(self, db: AuthStore, kind: str, subjects: Sequence[str]) -> None:
        """Revoke within a transaction, as its last statement: everybody else who revokes waits for its end."""
        if subjects:
            await session_store.insert_revocations(db, kind, subjects, self._lifetime)

    @asynccontextmanager
    async def transaction(self) -> AsyncIterator[AuthStore]:
        """Give a store to revoke with; what is committed at the end holds here at once, and the others are rung for."""
        async with self._store.transaction() as db:
            yield db
        await self.settle()

    async def settle(self) -> None:
        """Make what was just committed hold here, and ring; with PostgreSQL gone in between, ``keep`` does it later."""
        with contextlib.suppress(ServiceError):
            await self.read()
        self._changed.set()

    async def read(self) -> None:
        """Take in what is new in PostgreSQL."""
        async with self._reading:
            epoch = await session_store.revocation_epoch(self._store)
            if self._loaded and epoch == self._held.epoch:
                return
            after = self._held.epoch if epoch > self._held.epoch else 0
            news = list(await session_store.revocations(self._store, after, epoch))
            self._held.add(News(epoch, [revocation for _, revocation in news]))
            self._log = [*self._current(), *news] if after else news
            self._loaded = True

    def _current(self) -> list[tuple[int, Revocation]]:
        # What the list has replaced by a line in time need not be told one by one.
        line, now = self._held.issued_after, time.time()
        return [entry for entry in self._log if entry[1].revoked_at > line and entry[1].expires_at > now]

    def since(self, after: int) -> News:
        """Return what was revoked after an epoch, whole epochs only; raises ``Unavailable`` before it is known."""
        if not self._loaded:
            raise Unavailable(reason="The revocations have not been loaded yet", retry_after_seconds=1)
        start = bisect_right(self._log, after, key=lambda entry: entry[0])
        if start == len(self._log):
            return News(self._held.epoch, [], self._held.issued_after)
        end = bisect_right(self._log, self._log[min(start + PAGE, len(self._log)) - 1][0], key=lambda entry: entry[0])
        items, more = [revocation for _, revocation in self._log[start:end]], end < len(self._log)
        return News(self._log[end - 1][0] if more else self._held.epoch, items, self._held.issued_after, more)

    async def keep(self) -> None:
        """Read and ring, again and again; without PostgreSQL the last known epoch is rung."""
        while True:
            self._changed.clear()
            with contextlib.suppress(ServiceError):
                await self.read()
            await self._ring()
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(min(READ_SECONDS, BELL_SECONDS)):
                    await self._changed.wait()

    async def _ring(self) -> None:
        if self._redis is None or not self._loaded:
            return
        try:
            await self._redis.publish(self._channel, self._held.epoch)
        except (RedisError, OSError, TimeoutError):
            # The others notice the silence and ask by themselves.
            BELL_ERRORS.inc()

    async def sweep(self) -> None:
        """Forget what no longer matters, every ten minutes."""
        while True:
            while await session_store.delete_expired_revocations(self._store, _SWEEP_BATCH) == _SWEEP_BATCH:
                log.info("revocations_forgotten", revocations=_SWEEP_BATCH)
            await asyncio.sleep(_SWEEP_SECONDS)
