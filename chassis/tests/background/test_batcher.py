"""Group commit: many small writes as few, each with its own result or error."""

from __future__ import annotations

import asyncio
import gc
from collections.abc import Sequence

import pytest

from castor_chassis import Batcher


class Store:
    """Doubles numbers, one call at a time; refuses batches that hold 13."""

    def __init__(self) -> None:
        self.batches: list[list[int]] = []
        self.at_once = self.most_at_once = 0

    async def write(self, items: Sequence[int]) -> list[int]:
        self.at_once += 1
        self.most_at_once = max(self.most_at_once, self.at_once)
        self.batches.append(list(items))
        await asyncio.sleep(0.01)
        self.at_once -= 1
        if 13 in items:
            raise ValueError("13")
        return [2 * item for item in items]


async def test_what_arrives_during_a_write_goes_together() -> None:
    """The first item goes alone at once; all that come meanwhile share the next call; results match their items."""
    store = Store()
    batcher = Batcher(store.write)
    first = batcher.submit(0)
    await asyncio.sleep(0.001)
    rest = [batcher.submit(number) for number in range(1, 10)]
    assert await asyncio.gather(first, *rest) == [2 * number for number in range(10)]
    assert store.batches == [[0], list(range(1, 10))]


async def test_batches_are_bounded_and_never_overlap() -> None:
    """No call has more than ``size`` items, and calls follow one another."""
    store = Store()
    batcher = Batcher(store.write, size=4)
    assert await asyncio.gather(*map(batcher.submit, range(100, 110))) == [2 * number for number in range(100, 110)]
    assert [len(batch) for batch in store.batches] == [4, 4, 2]
    assert store.most_at_once == 1


async def test_a_failed_batch_fails_alone() -> None:
    """Every item of the failed call gets its error, those of the next call their results."""
    batcher = Batcher(Store().write, size=2)
    results = await asyncio.gather(*map(batcher.submit, (12, 13, 14, 15)), return_exceptions=True)
    assert [type(result) for result in results] == [ValueError, ValueError, int, int]


async def test_who_stops_waiting_stops_nothing() -> None:
    """A caller that is cancelled leaves the others' results whole, and the batcher usable."""
    batcher = Batcher(Store().write)
    gone, kept = batcher.submit(1), batcher.submit(2)
    gone.cancel()
    assert await kept == 4
    assert await batcher.submit(3) == 6


async def test_an_error_that_nobody_awaits_is_quiet(caplog: pytest.LogCaptureFixture) -> None:
    """A failed batch whose callers have gone leaves no 'exception was never retrieved' behind."""
    batcher = Batcher(Store().write)
    batcher.submit(13)
    await asyncio.sleep(0.05)
    gc.collect()
    assert not caplog.records
