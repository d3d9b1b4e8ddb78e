"""Answers that are given again, and who of all replicas makes one that is not there yet; without Redis, each alone."""

from __future__ import annotations

import asyncio
import hashlib
import uuid
from collections.abc import AsyncIterator, Awaitable
from typing import cast

import orjson
from redis.asyncio import Redis
from redis.exceptions import RedisError

from castor_chassis.context import remaining_seconds
from openai_service.chat.response_stream import Production, Recorded
from openai_service.metrics import ANSWER_CACHE_ERRORS
from openai_service.protocol.chat import ChatRequest

_LEASE_SECONDS = 6.0
_POLL_SECONDS = (0.02, 0.05, 0.1, 0.25)
_AWAY = (RedisError, OSError, TimeoutError)
_CLAIM = """
local found = redis.call('GET', KEYS[1])
if found then return found end
if redis.call('SET', KEYS[2], ARGV[1], 'NX', 'PX', ARGV[2]) then return 1 end
return 0
"""
_RENEW = """
if redis.call('GET', KEYS[1]) == ARGV[1] then return redis.call('PEXPIRE', KEYS[1], ARGV[2]) end
return 0
"""
_END = """
if #ARGV > 1 then redis.call('SET', KEYS[1], ARGV[2], 'EX', ARGV[3]) end
if redis.call('GET', KEYS[2]) == ARGV[1] then redis.call('DEL', KEYS[2]) end
return 1
"""


def key_of(tenant: str, request: ChatRequest, targets: list[str]) -> str:
    """Return what equal requests have in common: tenant, who would answer, and all that changes the answer."""
    body = request.model_dump(mode="json", exclude_unset=True, exclude={"user", "metadata"})
    parts = [tenant, targets, body]
    return hashlib.sha256(orjson.dumps(parts, option=orjson.OPT_SORT_KEYS)).hexdigest()


class AnswerStore:
    """Recorded answers in Redis, with a lease for whoever makes one. Never raises: without Redis nothing is found."""

    def __init__(self, redis: Redis | None, *, ttl_seconds: int) -> None:
        self._redis = redis
        self._ttl = ttl_seconds

    async def claim(self, key: str, owner: str) -> bytes | bool:
        """Return the answer, or True when ``owner`` shall make it, or False while another does."""
        if self._redis is None:
            return True
        try:
            found = await self._eval(_CLAIM, _names(key), owner, _milliseconds(_LEASE_SECONDS))
        except _AWAY:
            ANSWER_CACHE_ERRORS.inc()
            return True
        return found if isinstance(found, bytes) else found == 1

    async def renew(self, key: str, owner: str) -> None:
        """Keep the lease, for ever; a replica that dies loses it within seconds."""
        while self._redis is not None:
            await asyncio.sleep(_LEASE_SECONDS / 3)
            try:
                await self._eval(_RENEW, _names(key)[1:], owner, _milliseconds(_LEASE_SECONDS))
            except _AWAY:
                ANSWER_CACHE_ERRORS.inc()

    async def end(self, key: str, owner: str, content: bytes | None) -> None:
        """Give the lease back and keep ``content``, if there is any."""
        if self._redis is None:
            return
        kept: list[str | bytes] = [] if content is None else [content, str(self._ttl)]
        try:
            await self._eval(_END, _names(key), owner, *kept)
        except _AWAY:
            ANSWER_CACHE_ERRORS.inc()

    async def _eval(self, script: str, keys: list[str], *args: str | bytes) -> object:
        assert self._redis is not None
        return await cast(Awaitable[object], self._redis.eval(script, len(keys), *keys, *args))


def _names(key: str) -> list[str]:
    # One slot of a cluster for both.
    return [f"castor:{{openai-answer-{key}}}:answer", f"castor:{{openai-answer-{key}}}:lease"]


def _milliseconds(seconds: float) -> str:
    return str(int(seconds * 1000))


class Shared:
    """A production that is looked up first, awaited where another replica makes it, and kept when it is complete."""

    def __init__(self, production: Production, store: AnswerStore, key: str) -> None:
        self._source = production
        self._made_here = production
        self._store = store
        self._key = key
        self._owner = uuid.uuid4().hex
        self._renewal: asyncio.Task[None] | None = None
        # Past half of the caller's time it is better to ask twice than to answer never.
        self._patience_ends = (remaining_seconds() or 0) / 2

    @property
    def degraded(self) -> list[str] | None:
        """See ``Production``."""
        return self._source.degraded

    @property
    def cache(self) -> str | None:
        """See ``Production``."""
        return self._source.cache

    async def open(self) -> None:
        """See ``Production``."""
        for attempt in range(10_000):
            found = await self._store.claim(self._key, self._owner)
            if isinstance(found, bytes):
                self._source = Recorded(found)
            if found is not False or self._late():
                break
            await asyncio.sleep(_POLL_SECONDS[min(attempt, len(_POLL_SECONDS) - 1)])
        if self._source is self._made_here:
            self._renewal = asyncio.get_running_loop().create_task(self._store.renew(self._key, self._owner))
        await self._source.open()

    def _late(self) -> bool:
        left = remaining_seconds()
        return left is not None and left < self._patience_ends

    def pieces(self) -> AsyncIterator[bytes]:
        """See ``Production``."""
        return self._source.pieces()

    async def close(self) -> None:
        """See ``Production``."""
        await self._made_here.close()

    async def landed(self, content: bytes | None) -> None:
        """Keep ``content``, the complete answer, or nothing; and let others make it again."""
        if isinstance(self._source, Recorded):
            return
        if self._renewal is not None:
            self._renewal.cancel()
        await self._store.end(self._key, self._owner, None if self._source.degraded else content)
