"""The response cache in Redis: complete answers by request, and a lease so that one replica produces each of them.

An answer is sealed by its request (``castor_chassis.storage.sealing``): it may quote what was erased since.
"""

from __future__ import annotations

import asyncio
import hashlib
import uuid
from collections.abc import Awaitable
from typing import cast

import orjson
from redis.asyncio import Redis

from castor_chassis import redis_optional
from castor_chassis.context import remaining_seconds
from castor_chassis.storage.sealing import Seal
from openai_service import __version__
from openai_service.metrics import ANSWER_CACHE_ERRORS
from openai_service.protocol.chat import ChatRequest

_LEASE_SECONDS = 6.0
_POLL_SECONDS = (0.02, 0.05, 0.1, 0.25)
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
_RELEASE = """
if #ARGV > 1 then redis.call('SET', KEYS[1], ARGV[2], 'EX', ARGV[3]) end
if redis.call('GET', KEYS[2]) == ARGV[1] then redis.call('DEL', KEYS[2]) end
return 1
"""


def request_key(tenant: str, request: ChatRequest, targets: list[str]) -> str:
    """Return a digest of the tenant, the targets, and every field that changes the answer: equal for equal requests.

    It opens the answer, so it is stored only where it is sealed itself.
    The version of the service is in it, because another one may shape an answer differently, also after a rollback.
    """
    body = request.model_dump(mode="json", exclude_unset=True, exclude={"user", "metadata"})
    parts = [__version__, tenant, targets, body]
    return hashlib.sha256(orjson.dumps(parts, option=orjson.OPT_SORT_KEYS)).hexdigest()


def is_whole(content: bytes, *, stream: bool) -> bool:
    """Return whether bytes of the cache are an answer: all events of a stream, else one JSON object."""
    if stream:
        return content.startswith(b"data:") and content.rstrip().endswith(b"data: [DONE]")
    try:
        return isinstance(orjson.loads(content), dict)
    except orjson.JSONDecodeError:
        return False


class ResponseCache:
    """Answers by key, each with a lease of ``_LEASE_SECONDS``. Never raises: without Redis nothing is found or kept."""

    def __init__(self, redis: Redis | None, *, ttl_seconds: int) -> None:
        self._redis = redis
        self._ttl = ttl_seconds

    async def claim(self, key: str, owner: str) -> bytes | bool:
        """Return the answer, or True when ``owner`` has the lease now, or False while another owner has it.

        One that is damaged is empty.
        """
        if self._redis is None:
            return True
        with redis_optional(ANSWER_CACHE_ERRORS):
            seal = _seal(key)
            found = await self._eval(_CLAIM, _names(seal), owner, _milliseconds(_LEASE_SECONDS))
            return (seal.open(found) or b"") if isinstance(found, bytes) else found == 1
        return True

    async def renew(self, key: str, owner: str) -> None:
        """Keep the lease until cancelled; a replica that dies loses it within ``_LEASE_SECONDS``."""
        while self._redis is not None:
            await asyncio.sleep(_LEASE_SECONDS / 3)
            with redis_optional(ANSWER_CACHE_ERRORS):
                await self._eval(_RENEW, _names(_seal(key))[1:], owner, _milliseconds(_LEASE_SECONDS))

    async def release(self, key: str, owner: str, content: bytes | None) -> None:
        """Give the lease back, and keep ``content`` as the answer if it is not None."""
        if self._redis is None:
            return
        seal = _seal(key)
        kept: list[str | bytes] = [] if content is None else [seal.close(content), str(self._ttl)]
        with redis_optional(ANSWER_CACHE_ERRORS):
            await self._eval(_RELEASE, _names(seal), owner, *kept)

    async def _eval(self, script: str, keys: list[str], *args: str | bytes) -> object:
        assert self._redis is not None
        return await cast(Awaitable[object], self._redis.eval(script, len(keys), *keys, *args))


def _seal(key: str) -> Seal:
    return Seal(f"answer {key}")


def _names(seal: Seal) -> list[str]:
    # The braces put both keys into one slot of a cluster.
    return [f"castor:{{openai-answer-{seal.name.hex()}}}:answer", f"castor:{{openai-answer-{seal.name.hex()}}}:lease"]


def _milliseconds(seconds: float) -> str:
    return str(int(seconds * 1000))


class ResponseLease:
    """One request's part in the cache: finds the answer, or gets the right to produce it."""

    def __init__(self, cache: ResponseCache, key: str) -> None:
        self._cache = cache
        self._key = key
        self._owner = uuid.uuid4().hex
        self._found = False
        self._renewal: asyncio.Task[None] | None = None

    async def acquire(self) -> bytes | None:
        """Return the cached answer, or None once the caller is to produce it and call ``release``.

        While another replica produces it, this waits for at most half of the callers' remaining time: after that a
        second call of the model is better than no answer.
        """
        began = asyncio.get_running_loop().time()
        for attempt in range(10_000):
            found = await self._cache.claim(self._key, self._owner)
            if isinstance(found, bytes):
                self._found = True
                return found
            left = remaining_seconds()  # a caller that joins meanwhile may bring more
            waited = asyncio.get_running_loop().time() - began
            if found or (left is not None and left < waited):
                break
            await asyncio.sleep(_POLL_SECONDS[min(attempt, len(_POLL_SECONDS) - 1)])
        self._renewal = asyncio.get_running_loop().create_task(self._cache.renew(self._key, self._owner))
        return None

    async def release(self, content: bytes | None) -> None:
        """Keep ``content``, a complete answer, for other requests, or nothing; does nothing after a cache hit."""
        if self._found:
            return
        if self._renewal is not None:
            self._renewal.cancel()
        await self._cache.release(self._key, self._owner, content)
