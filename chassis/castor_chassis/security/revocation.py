"""Revocations, known to every service within a second and without a call per request.

auth-service publishes an epoch notification in Redis: the number of its last revocation, twice a second and at once
when there is a new one. A service that receives another number than its own fetches what it lacks over mutual TLS.
So nothing in Redis has to be trusted, and a service that receives nothing polls auth-service (docs/adr/0010).
"""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections import OrderedDict
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Any

import structlog
from redis.asyncio import Redis

from castor_chassis.background.wakeup import Wakeup
from castor_chassis.metrics import REVOCATION_EPOCH, REVOCATION_OVERFLOWS, REVOCATION_SOURCE, REVOCATIONS_HELD
from castor_chassis.storage.redis import REDIS_AWAY
from castor_chassis.wire.errors import ServiceError

log = structlog.get_logger("castor.revocation")
NOTIFY_SECONDS = 0.5
"""How often auth-service repeats its epoch notification."""
SILENCE_SECONDS = 2.0
"""Without a notification for so long, a service polls."""
POLL_SECONDS = 0.4
RESYNC_SECONDS = 30.0
"""A service fetches at least this often, whatever it was notified of."""
_GAP_SECONDS = 0.1
"""Between two fetches while the announced epoch is not reached."""
SOURCES = ("push", "poll", "none")


def channel(issuer: str) -> str:
    """Return the Redis channel of the epoch notifications of one installation."""
    return f"castor:revocations:{issuer}"


@dataclass(frozen=True, slots=True)
class Revocation:
    """One thing that ended early."""

    kind: str
    """``session``: its access tokens are dead; ``signing_key``: all that it signed; ``user``, ``api_key``: what is
    known of their API keys is stale."""
    subject: str
    revoked_at: float
    expires_at: float
    """Unix seconds; from then on its tokens have expired by themselves."""


@dataclass(frozen=True, slots=True)
class RevocationBatch:
    """What was revoked after an epoch."""

    epoch: int
    """Number of the last revocation in the batch; a server that was restored from a backup may go back."""
    items: Sequence[Revocation]
    issued_after: float = 0.0
    """Issued-before cut-off, Unix seconds: users' tokens issued until then are refused; 0: there is none."""
    more: bool = False
    """Whether there is more to ask for."""


class RevocationList:
    """The revocations in force, at most ``max_entries``.

    When there are more, the oldest are replaced by an issued-before cut-off: tokens issued until it are refused. That
    costs other users a refresh, and no ended session is accepted again.
    """

    def __init__(self, max_entries: int = 100_000) -> None:
        self.epoch = 0
        self.leaked_keys: set[str] = set()
        """Key ids of all that ever leaked: nothing they signed holds, whoever still publishes them."""
        self._max = max_entries
        self._sessions: OrderedDict[str, Revocation] = OrderedDict()
        self._issued_after = 0.0
        self._listeners: list[Callable[[Revocation], None]] = []

    @property
    def issued_after(self) -> float:
        """The issued-before cut-off, Unix seconds: users' tokens issued until then are refused. 0: there is none."""
        return self._issued_after

    def __len__(self) -> int:
        return len(self._sessions)

    def session(self, session_id: str, issued_at: int) -> bool:
        """Return whether a token of this session, issued at that Unix second, is dead."""
        return session_id in self._sessions or issued_at <= self._issued_after

    def on_add(self, listener: Callable[[Revocation], None]) -> None:
        """Call ``listener`` with everything that is added from now on."""
        self._listeners.append(listener)

    def add(self, batch: RevocationBatch) -> None:
        """Take in what is new, and forget what has expired."""
        for revocation in batch.items:
            if revocation.kind == "session":
                self._sessions[revocation.subject] = revocation
            if revocation.kind == "signing_key":
                self.leaked_keys.add(revocation.subject)
            for listener in self._listeners:
                listener(revocation)
        self.epoch = batch.epoch
        self._issued_after = max(self._issued_after, batch.issued_after)
        self._forget()
        REVOCATION_EPOCH.set(batch.epoch)
        REVOCATIONS_HELD.set(len(self._sessions))

    def _forget(self) -> None:
        now = time.time()
        while self._sessions:
            oldest = next(iter(self._sessions.values()))
            if oldest.expires_at > now and len(self._sessions) <= self._max:
                return
            self._sessions.popitem(last=False)
            if oldest.expires_at > now:
                REVOCATION_OVERFLOWS.inc()
                self._issued_after = max(self._issued_after, oldest.revoked_at)


Fetch = Callable[[int], Awaitable[RevocationBatch]]
"""``await fetch(after)`` returns what was revoked after the epoch ``after``; raises ``ServiceError``."""


class RevocationFollower:
    """Keeps a list up to date: fetches when notified of a new epoch, polls while no notification arrives."""

    def __init__(self, revoked: RevocationList, fetch: Fetch, redis: Redis | None, issuer: str) -> None:
        self._channel = channel(issuer)
        self._revoked = revoked
        self._fetch = fetch
        self._redis = redis
        self._notified = Wakeup()
        self._announced = 0
        self._notified_at = self._fetched_at = float("-inf")
        self._source = ""

    async def run(self) -> None:
        """Follow until cancelled."""
        listening = asyncio.ensure_future(self._listen())
        try:
            while True:
                await self._step()
        finally:
            listening.cancel()
            await asyncio.gather(listening, return_exceptions=True)

    async def _step(self) -> None:
        now = time.monotonic()
        is_notified = now - self._notified_at < SILENCE_SECONDS
        went_back = self._announced < self._revoked.epoch
        if not is_notified or self._announced != self._revoked.epoch or now - self._fetched_at > RESYNC_SECONDS:
            await self._catch_up()
        self._report_source(is_notified)
        if went_back or self._announced != self._revoked.epoch:
            await asyncio.sleep(_GAP_SECONDS)
            return
        await self._notified.wait(POLL_SECONDS)

    async def _catch_up(self) -> None:
        more = True
        while more:
            try:
                batch = await self._fetch(self._revoked.epoch)
            except ServiceError:
                return
            self._fetched_at = time.monotonic()
            self._revoked.add(batch)
            more = batch.more
        # An older epoch was announced by a database that went back, or by a replica that lags: now it has been asked.
        self._announced = max(self._announced, self._revoked.epoch)

    def _report_source(self, is_notified: bool) -> None:
        asked = time.monotonic() - self._fetched_at < SILENCE_SECONDS + POLL_SECONDS
        source = "push" if is_notified and self._announced == self._revoked.epoch else "poll" if asked else "none"
        if source != self._source:
            log.info("revocation_source", source=source, before=self._source or None)
            self._source = source
            for each in SOURCES:
                REVOCATION_SOURCE.labels(each).set(each == source)

    async def _listen(self) -> None:
        while self._redis is not None:
            with contextlib.suppress(*REDIS_AWAY):
                async with self._redis.pubsub(ignore_subscribe_messages=True) as subscription:
                    await subscription.subscribe(self._channel)
                    await self._receive(subscription)
            await asyncio.sleep(NOTIFY_SECONDS)

    async def _receive(self, subscription: Any) -> None:
        while True:
            message = await subscription.get_message(timeout=SILENCE_SECONDS)
            if message is not None and message["data"].isdigit():
                self._notified_at = time.monotonic()
                self._announced = int(message["data"])
                if self._announced != self._revoked.epoch:
                    self._notified.set()
