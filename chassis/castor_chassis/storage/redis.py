"""Redis is an aid: what happens when it is away, in one place."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from prometheus_client import Counter
from redis.asyncio import Redis
from redis.exceptions import RedisError

REDIS_AWAY = (RedisError, OSError, TimeoutError)
"""What redis-py raises when Redis does not answer, refuses, or answers too late."""


@contextmanager
def redis_optional(errors: Counter) -> Iterator[None]:
    """Run a block that can do without Redis: when Redis fails, the block ends there and ``errors`` counts one.

    What follows the block is the fallback::

        with redis_optional(ERRORS):
            return await redis.get(key)
        return None
    """
    try:
        yield
    except REDIS_AWAY:
        errors.inc()


def open_redis(url: str | None, timeout_seconds: float) -> Redis | None:
    """Return a client of the Redis at ``url``, which is not contacted yet; None without one."""
    wait = timeout_seconds
    return None if url is None else Redis.from_url(url, socket_timeout=wait, socket_connect_timeout=wait)


async def close_redis(*clients: Redis | None) -> None:
    """Close clients, each once."""
    for client in set(clients):
        if client is not None:
            await client.aclose()


class EvictsKeys(Exception):
    """The Redis that counts for limits drops keys when its memory is full."""


async def check_keeps_keys(redis: Redis) -> None:
    """Raise ``EvictsKeys`` if Redis may evict keys; while it does not answer, or does not say, nothing is known.

    Whoever can fill a Redis that evicts makes it forget how often somebody failed.
    """
    try:
        memory = await redis.info("memory")
    except REDIS_AWAY:
        return
    policy = memory.get("maxmemory_policy", "noeviction")
    if policy != "noeviction" and memory.get("maxmemory", 0):
        raise EvictsKeys(
            f"the Redis that counts for limits evicts keys (maxmemory-policy {policy}): set noeviction there, or let "
            "LIMITS_REDIS_URL name a Redis that has it"
        )
