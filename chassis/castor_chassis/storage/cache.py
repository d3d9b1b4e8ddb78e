"""A cache in Redis that is never needed: when Redis is away every look-up is a miss, and is counted."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import cast

from redis.asyncio import Redis

from castor_chassis.metrics import CACHE
from castor_chassis.storage.redis import redis_optional


class Cache:
    """Byte values under ``castor:{name}:key``; the braces keep one cache in one cluster slot."""

    def __init__(self, redis: Redis | None, name: str) -> None:
        self._redis = redis
        self._name = name
        self._prefix = f"castor:{{{name}}}:"
        self._errors = CACHE.labels(name, "error")

    async def get_many(self, keys: Sequence[str]) -> list[bytes | None]:
        """Return the value of each key, None where there is none."""
        if self._redis is None or not keys:
            return [None] * len(keys)
        with redis_optional(self._errors):
            values = cast(list[bytes | None], await self._redis.mget([self._prefix + key for key in keys]))
            hits = sum(value is not None for value in values)
            CACHE.labels(self._name, "hit").inc(hits)
            CACHE.labels(self._name, "miss").inc(len(values) - hits)
            return values
        return [None] * len(keys)

    async def set_many(self, values: Mapping[str, bytes], ttl_seconds: int) -> None:
        """Keep ``values`` for ``ttl_seconds``; silently nothing when Redis is away."""
        if self._redis is None or not values:
            return
        with redis_optional(self._errors):
            async with self._redis.pipeline(transaction=False) as pipe:
                for key, value in values.items():
                    pipe.set(self._prefix + key, value, ex=ttl_seconds)
                await pipe.execute()
