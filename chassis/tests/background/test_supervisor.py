"""Background tasks: restarted when they fail, stopped for sure."""

from __future__ import annotations

import asyncio

import pytest

from castor_chassis import Unavailable, every
from castor_chassis.background.supervisor import Workers


async def test_failed_work_is_started_again() -> None:
    """Work that raises, for whatever reason, is restarted until it succeeds."""
    faults: list[Exception] = [ValueError("bug"), Unavailable(reason="away")]
    done = asyncio.Event()

    async def work() -> None:
        if faults:
            raise faults.pop()
        done.set()

    workers = Workers()
    workers.spawn("test", work)
    await asyncio.wait_for(done.wait(), 30)
    await workers.stop()


async def test_stop_cancels_and_waits() -> None:
    """After stopping, no work is left running."""
    cleaned = asyncio.Event()

    async def work() -> None:
        try:
            await asyncio.sleep(60)
        finally:
            cleaned.set()

    workers = Workers()
    workers.spawn("test", work)
    await asyncio.sleep(0.01)
    await workers.stop()
    assert cleaned.is_set()


async def test_stop_ends_work_whose_clean_up_fails() -> None:
    """An error that takes the place of the cancellation does not start the work again."""
    starts = 0

    async def work() -> None:
        nonlocal starts
        starts += 1
        try:
            await asyncio.sleep(60)
        finally:
            raise ValueError("the clean-up failed")

    workers = Workers()
    workers.spawn("test", work)
    await asyncio.sleep(0.01)
    await asyncio.wait_for(workers.stop(), 60)
    await asyncio.sleep(0.5)
    assert starts == 1


async def test_stop_asks_again_when_a_cancellation_is_lost() -> None:
    """Work that swallows a cancellation ends all the same."""
    lost = 0

    async def work() -> None:
        nonlocal lost
        while lost < 2:
            try:
                await asyncio.sleep(60)
            except asyncio.CancelledError:
                lost += 1
        await asyncio.sleep(60)

    workers = Workers()
    workers.spawn("test", work)
    await asyncio.sleep(0.01)
    await asyncio.wait_for(workers.stop(patience_seconds=0.05), 60)
    assert lost == 2


async def test_work_that_is_done_again_and_again() -> None:
    """Jobs are done in turn and at once, then again after the pause; what one raises ends it."""
    done: list[str] = []

    async def first() -> int:
        done.append("first")
        return 1

    async def second() -> None:
        done.append("second")
        if len(done) == 6:
            raise ConnectionError

    with pytest.raises(ConnectionError):
        await every(0.001, first, second)()
    assert done == ["first", "second"] * 3
