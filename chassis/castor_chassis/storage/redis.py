"""Redis is an aid: what happens when it is away, in one place."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from prometheus_client import Counter
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
