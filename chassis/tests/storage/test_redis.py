"""Redis away: the block ends, the failure is counted, and mistakes of ours are not hidden."""

from __future__ import annotations

from pathlib import Path

import pytest
from prometheus_client import CollectorRegistry, Counter
from redis.asyncio import Redis
from redis.exceptions import ConnectionError as RedisConnectionError
from redis.exceptions import TimeoutError as RedisTimeoutError

from castor_chassis import redis_optional
from castor_chassis.storage.redis import EvictsKeys, check_keeps_keys
from castor_devstack.stack.ports import PortLeases
from castor_devstack.stack.valkey import EmbeddedValkey


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


async def test_a_redis_that_evicts_does_not_count_for_limits(test_ports: PortLeases, tmp_path: Path) -> None:
    """Readiness names the policy and the remedy; a Redis that keeps its keys, or is away, passes."""
    port = test_ports.choose({"valkey": 0})["valkey"]
    server = EmbeddedValkey(tmp_path / "valkey", port=port, password="secret", fast=True)
    server.start()
    async with Redis.from_url(server.url()) as redis:
        try:
            await check_keeps_keys(redis)
            await redis.config_set("maxmemory-policy", "volatile-lru")
            with pytest.raises(EvictsKeys, match=r"volatile-lru.*LIMITS_REDIS_URL"):
                await check_keeps_keys(redis)
        finally:
            server.stop()
        await check_keeps_keys(redis)
