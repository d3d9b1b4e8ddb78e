"""Sessions that end before their tokens do, known to every service within a second and without a call per request.

auth-service rings a bell in Redis: the number (epoch) of its last revocation, twice a second and at once when there
is a new one. Who hears a number that it has not reached fetches what it lacks over mutual TLS. So Redis carries
nothing that must be believed, and whoever hears nothing asks by itself (docs/adr/0010).
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
BELL_SECONDS = 0.5
"""How often auth-service repeats its epoch."""
QUIET_SECONDS = 2.0
"""Without a bell for so long, a service asks by itself."""
POLL_SECONDS = 0.4
SURE_SECONDS = 30.0
"""Whatever the bell says, a service asks this often."""
_GAP_SECONDS = 0.1
SOURCES = ("push", "poll", "none")


def channel(issuer: str) -> str:
    """Return the name of the bell of one installation."""
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
class News:
    """What was revoked since somebody asked last."""

    epoch: int
    """Number of the last revocation told of; a server that was restored from a backup may go back."""
    items: Sequence[Revocation]
    issued_after: float = 0.0
    more: bool = False
    """Whether there is more to ask for."""


class RevocationList:
    """The revocations in force, at most ``max_entries``.

    When there are more, the oldest are replaced by a line in time: whatever was issued before it is refused.
    That costs honest users a refresh and lets no dead session live.
    """

    def __init__(self, max_entries: int = 100_000) -> None:
        self.epoch = 0
        self._max = max_entries
        self._sessions: OrderedDict[str, Revocation] = OrderedDict()
        self._issued_after = 0.0
        self._listeners: list[Callable[[Revocation], None]] = []

    @property
    def issued_after(self) -> float:
        """Unix second of the line in time; tokens of users issued before it are refused. 0: there is none."""
        return self._issued_after

    def __len__(self) -> int:
        return len(self._sessions)

    def session(self, session_id: str, issued_at: int) -> bool:
        """Return whether a token of this session, issued at that Unix second, is dead."""
        return session_id in self._sessions or issued_at <= self._issued_after

    def on_add(self, listener: Callable[[Revocation], None]) -> None:
        """Call ``listener`` with everything that is added from now on."""
        self._listeners.append(listener)

    def add(self, news: News) -> None:
        """Take in what is new, and forget what has expired."""
        for revocation in news.items:
            if revocation.kind == "session":
                self._sessions[revocation.subject] = revocation
            for listener in self._listeners:
                listener(revocation)
        self.epoch = news.epoch
        self._issued_after = max(self._issued_after, news.issued_after)
        self._forget()
        REVOCATION_EPOCH.set(news.epoch)
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


Fetch = Callable[[int], Awaitable[News]]
"""``await fetch(after)`` returns what was revoked after the epoch ``after``; raises ``ServiceError``."""


class RevocationFollower:
    """Keeps a list up to date: by the bell while it rings, by asking when it does not."""

    def __init__(self, revoked: RevocationList, fetch: Fetch, redis: Redis | None, issuer: str) -> None:
        self._channel = channel(issuer)
        self._revoked = revoked
        self._fetch = fetch
        self._redis = redis
        self._rung = Wakeup()
        self._announced = 0
        self._heard_at = self._fetched_at = float("-inf")
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
        hears = now - self._heard_at < QUIET_SECONDS
        if not hears or self._announced > self._revoked.epoch or now - self._fetched_at > SURE_SECONDS:
            await self._catch_up()
        self._say_source(hears)
        if self._announced > self._revoked.epoch:
            await asyncio.sleep(_GAP_SECONDS)
            return
        await self._rung.wait(POLL_SECONDS)

    async def _catch_up(self) -> None:
        more = True
        while more:
            try:
                news = await self._fetch(self._revoked.epoch)
            except ServiceError:
                return
            self._fetched_at = time.monotonic()
            self._revoked.add(news)
            more = news.more

    def _say_source(self, hears: bool) -> None:
        asked = time.monotonic() - self._fetched_at < QUIET_SECONDS + POLL_SECONDS
        source = "push" if hears and self._announced <= self._revoked.epoch else "poll" if asked else "none"
        if source != self._source:
            log.info("revocation_source", source=source, before=self._source or None)
            self._source = source
            for each in SOURCES:
                REVOCATION_SOURCE.labels(each).set(each == source)

    async def _listen(self) -> None:
        while self._redis is not None:
            with contextlib.suppress(*REDIS_AWAY):
                async with self._redis.pubsub(ignore_subscribe_messages=True) as bell:
                    await bell.subscribe(self._channel)
                    await self._hear(bell)
            await asyncio.sleep(BELL_SECONDS)

    async def _hear(self, bell: Any) -> None:
        while True:
            message = await bell.get_message(timeout=QUIET_SECONDS)
            if message is not None and message["data"].isdigit():
                self._heard_at = time.monotonic()
                self._announced = int(message["data"])
                if self._announced > self._revoked.epoch:
                    self._rung.set()
