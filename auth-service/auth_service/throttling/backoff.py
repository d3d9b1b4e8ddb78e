"""Exponential back-off after failed attempts: in Redis for all replicas, in memory while Redis is away.

An attempt is counted as failed when it begins and taken back when it succeeds, so that simultaneous attempts gain
nothing. The first few of a bucket are free; after that each doubles the next delay, up to a limit. An attempt that
comes too early is refused and not counted: it does not lengthen the delay.
"""

from __future__ import annotations

import time
from collections import OrderedDict
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any, cast

from redis.asyncio import Redis

from auth_service.metrics import THROTTLE_LOCAL
from castor_chassis import redis_optional

_LOCAL_BUCKETS = 20_000

_ADMIT = """
local now = redis.call('TIME')
now = now[1] * 1000 + math.floor(now[2] / 1000)
local failures = tonumber(redis.call('HGET', KEYS[1], 'failures') or '0')
local until_ms = tonumber(redis.call('HGET', KEYS[1], 'until') or '0')
if now < until_ms then return {0, until_ms - now, failures} end
local wait = 0
if failures + 1 >= tonumber(ARGV[1]) then
    wait = math.min(tonumber(ARGV[3]), tonumber(ARGV[2]) * 2 ^ math.min(30, failures + 1 - tonumber(ARGV[1])))
end
redis.call('HSET', KEYS[1], 'failures', failures + 1, 'until', math.floor(now + wait))
redis.call('PEXPIRE', KEYS[1], ARGV[4])
return {1, 0, failures}
"""
_FORGIVE = """
local failures = tonumber(redis.call('HGET', KEYS[1], 'failures') or '0')
if failures <= 1 then return redis.call('DEL', KEYS[1]) end
return redis.call('HSET', KEYS[1], 'failures', failures - 1, 'until', 0)
"""


@dataclass(frozen=True, slots=True)
class Delays:
    """The delay after each number of failures."""

    free: int
    """Failures before the first delay."""
    first_seconds: float
    longest_seconds: float
    forgotten_after_seconds: float
    """After so long without an attempt, the failures of a bucket no longer count."""

    def after(self, failures: int) -> float:
        """Return the seconds until the next attempt is admitted."""
        if failures < self.free:
            return 0.0
        return float(min(self.longest_seconds, self.first_seconds * 2 ** min(30, failures - self.free)))


@dataclass(frozen=True, slots=True)
class Decision:
    """Whether an attempt is admitted, in how many seconds it otherwise is, and how many failed before it."""

    admitted: bool
    wait_seconds: float
    failures: int


class LocalBuckets:
    """The buckets of this replica alone, in memory; above ``size``, the least recently used is dropped."""

    def __init__(self, size: int = _LOCAL_BUCKETS) -> None:
        self._size = size
        self._buckets: OrderedDict[str, tuple[int, float, float]] = OrderedDict()

    def admit(self, bucket: str, delays: Delays) -> Decision:
        """Count an attempt, unless it comes too early."""
        now = time.monotonic()
        failures, until, forgotten = self._buckets.get(bucket, (0, 0.0, 0.0))
        if now >= forgotten:
            failures, until = 0, 0.0
        if now < until:
            return Decision(False, until - now, failures)
        kept = failures + 1, now + delays.after(failures + 1), now + delays.forgotten_after_seconds
        self._buckets[bucket] = kept
        self._buckets.move_to_end(bucket)
        if len(self._buckets) > self._size:
            self._buckets.popitem(last=False)
        return Decision(True, 0.0, failures)

    def forgive(self, bucket: str) -> None:
        """Take an attempt back."""
        failures, _, forgotten = self._buckets.pop(bucket, (0, 0.0, 0.0))
        if failures > 1:
            self._buckets[bucket] = failures - 1, 0.0, forgotten


class Backoff:
    """Buckets, markers and counts of distinct values, in Redis.

    While Redis does not answer, buckets and markers are kept in memory, and a metric says so.
    """

    def __init__(self, redis: Redis | None) -> None:
        self._redis = redis
        self._local = LocalBuckets()
        self._markers: OrderedDict[str, None] = OrderedDict()

    async def admit(self, bucket: str, delays: Delays) -> Decision:
        """Count an attempt in ``bucket``, unless it comes too early."""
        numbers = delays.free, delays.first_seconds * 1000, delays.longest_seconds * 1000
        ttl = int(delays.forgotten_after_seconds * 1000)
        found = await self._ask(lambda redis: redis.eval(_ADMIT, 1, _key(bucket), *numbers, ttl))
        if found is None:
            return self._local.admit(bucket, delays)
        return Decision(bool(found[0]), found[1] / 1000, int(found[2]))

    async def forgive(self, bucket: str) -> None:
        """Take an attempt in ``bucket`` back: it succeeded."""
        self._local.forgive(bucket)
        await self._ask(lambda redis: redis.eval(_FORGIVE, 1, _key(bucket)))

    async def mark(self, name: str, seconds: float) -> None:
        """Set the marker ``name`` for a time."""
        self._markers[name] = None
        self._markers.move_to_end(name)
        if len(self._markers) > _LOCAL_BUCKETS:
            self._markers.popitem(last=False)
        await self._ask(lambda redis: redis.set(_key(name), 1, px=int(seconds * 1000)))

    async def is_marked(self, name: str) -> bool:
        """Return whether the marker ``name`` is set."""
        found = await self._ask(lambda redis: redis.exists(_key(name)))
        return name in self._markers if found is None else bool(found)

    async def count_distinct(self, name: str, member: str, seconds: float) -> int | None:
        """Add ``member`` to the values counted under ``name`` and return about how many there are.

        The count starts anew ``seconds`` after its first member. Takes 12 kB at most (HyperLogLog). None without Redis.
        """

        async def count(redis: Redis) -> int:
            async with redis.pipeline(transaction=False) as pipe:
                pipe.pfadd(_key(name), member)
                pipe.expire(_key(name), int(seconds), nx=True)
                pipe.pfcount(_key(name))
                return int((await pipe.execute())[2])

        return cast("int | None", await self._ask(count))

    async def _ask(self, question: Callable[[Redis], Awaitable[Any]]) -> Any:
        if self._redis is None:
            THROTTLE_LOCAL.inc()
            return None
        with redis_optional(THROTTLE_LOCAL):
            return await question(self._redis)
        return None


def _key(name: str) -> str:
    return f"castor:{{auth-throttle:{name}}}"
