"""Redis away: the block ends, the failure is counted, and mistakes of ours are not hidden."""

from __future__ import annotations

import pytest
from prometheus_client import CollectorRegistry, Counter
from redis.asyncio import Redis
from redis.exceptions import ConnectionError as RedisConnectionError
from redis.exceptions import TimeoutError as RedisTimeoutError

from castor_chassis import redis_optional


@pytest.fixture
def errors() -> Counter:
    return Counter("redis_test_errors_total", "For this test alone", registry=CollectorRegistry())


def count(errors: Counter) -> float:
    return float(errors._value.get())


async def test_an_absent_redis_gives_the_fallback_and_is_counted(errors: Counter) -> None:
    """A server that is not there ends the block; what follows it is the answer."""
    redis = Redis.from_url("redis://127.0.0.1:1", socket_connect_timeout=0.2)

    async def look_up() -> str:
        with redis_optional(errors):
            return str(await redis.get("key"))
        return "fallback"

    assert await look_up() == "fallback"
    assert count(errors) == 1
    await redis.aclose()


@pytest.mark.parametrize("fault", [RedisConnectionError(), RedisTimeoutError(), OSError(), TimeoutError()])
def test_every_kind_of_absence_counts(errors: Counter, fault: Exception) -> None:
    """Errors of the client, of the socket and of time are all 'away'."""
    with redis_optional(errors):
        raise fault
    assert count(errors) == 1


def test_a_mistake_is_not_an_absence(errors: Counter) -> None:
    """Any other error leaves the block and is not counted."""
    with pytest.raises(KeyError):
        with redis_optional(errors):
            raise KeyError
    assert count(errors) == 0
