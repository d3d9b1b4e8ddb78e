"""Wake-ups: none is lost, whatever the order in which they and the work come."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable
from contextlib import suppress
from typing import Protocol

import pytest

from castor_chassis import Broadcast, Wakeup


class Waker(Protocol):
    """The interface of ``Wakeup``."""

    def set(self) -> None: ...

    async def wait(self, timeout_seconds: float | None = None) -> bool: ...


async def before_wait(waker: Waker) -> bool:
    """Return whether a ``set()`` before the first ``wait()`` wakes."""
    waker.set()
    return await waker.wait(0.02)


async def during_work(waker: Waker) -> bool:
    """Return whether a ``set()`` between two waits, while the worker works, wakes."""
    waker.set()
    await waker.wait(0.02)
    waker.set()
    return await waker.wait(0.02)


async def as_time_runs_out(waker: Waker) -> bool:
    """Return whether a ``set()`` between the end of the waiting time and the waiter's next step wakes."""
    waiting = asyncio.ensure_future(waker.wait(0.02))
    await asyncio.sleep(0)
    asyncio.get_running_loop().call_later(0.025, waker.set)
    # Both timers are due when the loop runs again: the waiter's own first, then set(), then the waiter.
    time.sleep(0.05)
    return await waiting or await waker.wait(0.02)


class Naive:
    """What the mistakes below share."""

    def __init__(self) -> None:
        self.event = asyncio.Event()

    def set(self) -> None:
        self.event.set()


class ClearsFirst(Naive):
    """Clears, then waits."""

    async def wait(self, timeout_seconds: float | None = None) -> bool:
        self.event.clear()
        with suppress(TimeoutError):
            async with asyncio.timeout(timeout_seconds):
                await self.event.wait()
        return self.event.is_set()


class ClearsAfterWork(Naive):
    """Clears what woke it only when the work is done, that is at the next wait."""

    woken = False

    async def wait(self, timeout_seconds: float | None = None) -> bool:
        if self.woken:
            self.event.clear()
        with suppress(TimeoutError):
            async with asyncio.timeout(timeout_seconds):
                await self.event.wait()
        self.woken = self.event.is_set()
        return self.woken


class ClearsAfterTimeout(Naive):
    """Takes the end of the waiting time for 'nothing came', and clears."""

    async def wait(self, timeout_seconds: float | None = None) -> bool:
        woken = False
        with suppress(TimeoutError):
            async with asyncio.timeout(timeout_seconds):
                woken = await self.event.wait()
        self.event.clear()
        return woken


Ordering = Callable[[Waker], Awaitable[bool]]
ORDERINGS: tuple[tuple[Ordering, Callable[[], Waker]], ...] = (
    (before_wait, ClearsFirst),
    (during_work, ClearsAfterWork),
    (as_time_runs_out, ClearsAfterTimeout),
)


@pytest.mark.parametrize(("ordering", "mistaken"), ORDERINGS)
async def test_no_ordering_loses_a_wakeup(ordering: Ordering, mistaken: Callable[[], Waker]) -> None:
    """Each ordering wakes a ``Wakeup``, and is one that the usual mistake loses."""
    assert await ordering(Wakeup())
    assert not await ordering(mistaken())


async def test_waits_for_its_time_and_no_longer() -> None:
    """Without a ``set()`` it returns False after the time, and sets before it count once."""
    wakeup = Wakeup()
    wakeup.set()
    wakeup.set()
    assert await wakeup.wait(0)
    began = time.monotonic()
    assert not await wakeup.wait(0.05)
    assert time.monotonic() - began >= 0.05


async def test_a_cancelled_wait_keeps_the_wakeup() -> None:
    """A worker that is cancelled while it is being woken leaves the wake-up to its successor."""
    wakeup = Wakeup()
    waiting = asyncio.ensure_future(wakeup.wait())
    await asyncio.sleep(0)
    wakeup.set()
    waiting.cancel()
    await asyncio.gather(waiting, return_exceptions=True)
    assert await wakeup.wait(0)


async def test_a_worker_sees_every_item_of_many_producers() -> None:
    """Items that arrive in any order, also while it works, are worked off although it never polls."""
    wakeup, items, done = Wakeup(), list[int](), list[int]()

    async def work() -> None:
        while len(done) < 200:
            await wakeup.wait()
            while items:
                done.append(items.pop())
                await asyncio.sleep(0)

    async def produce(start: int) -> None:
        for number in range(start, start + 50):
            items.append(number)
            wakeup.set()
            await asyncio.sleep(0)

    async with asyncio.timeout(30):
        await asyncio.gather(work(), *(produce(start) for start in (0, 50, 100, 150)))
    assert sorted(done) == list(range(200))


async def test_broadcast_wakes_all_whose_condition_holds() -> None:
    """One ``notify()`` lets everybody go who waits for what has come; the others wait on, and time out."""
    broadcast, head = Broadcast(), 0
    waiting = [asyncio.ensure_future(broadcast.wait_for(lambda n=n: head >= n, 0.2)) for n in (1, 1, 2, 3)]
    await asyncio.sleep(0)
    head = 2
    broadcast.notify()
    assert await asyncio.gather(*waiting) == [True, True, True, False]


async def test_broadcast_before_the_wait_is_seen() -> None:
    """What changed before somebody waits is seen at once; the notification need not come again."""
    broadcast, ready = Broadcast(), False
    ready = True
    broadcast.notify()
    assert await broadcast.wait_for(lambda: ready)


async def test_broadcast_at_the_last_moment_counts() -> None:
    """A change between the end of the waiting time and the waiter's next step is not reported as a timeout."""
    broadcast, ready = Broadcast(), False

    def change() -> None:
        nonlocal ready
        ready = True
        broadcast.notify()

    waiting = asyncio.ensure_future(broadcast.wait_for(lambda: ready, 0.02))
    await asyncio.sleep(0)
    asyncio.get_running_loop().call_later(0.025, change)
    time.sleep(0.05)
    assert await waiting
