"""Exponential back-off, in Redis and in memory."""

from __future__ import annotations

import asyncio

import pytest
from redis.asyncio import Redis

from auth_service.throttling.backoff import Backoff, Delays, LocalBuckets

pytestmark = pytest.mark.asyncio(loop_scope="module")
DELAYS = Delays(free=3, first_seconds=0.2, longest_seconds=0.5, forgotten_after_seconds=60)


async def test_delays_grow_alike_in_redis_and_in_memory(redis_url: str) -> None:
    """The same attempts get the same answers from both, and a success takes its failure back."""
    redis = Redis.from_url(redis_url)
    shared, alone = Backoff(redis), Backoff(None)
    for backoff in (shared, alone):
        admitted = [(await backoff.admit("b", DELAYS)).admitted for _ in range(4)]
        assert admitted == [True, True, True, False]
        refused = await backoff.admit("b", DELAYS)
        assert 0 < refused.wait_seconds <= 0.2
        assert refused.failures == 3
        await asyncio.sleep(refused.wait_seconds + 0.01)
        assert (await backoff.admit("b", DELAYS)).admitted
        assert 0.2 < (await backoff.admit("b", DELAYS)).wait_seconds <= 0.4
        await backoff.forgive("b")
        last = await backoff.admit("b", DELAYS)
        assert (last.admitted, last.failures) == (True, 3)
    await redis.aclose()


async def test_memory_is_bounded() -> None:
    """However many buckets there are, only so many are kept, and the oldest goes first."""
    buckets = LocalBuckets(size=100)
    for n in range(1000):
        buckets.admit(f"b{n}", DELAYS)
    assert len(buckets._buckets) == 100
    assert buckets.admit("b999", DELAYS).failures == 1
    assert buckets.admit("b0", DELAYS).failures == 0
