"""Work whose result many callers use, done once at a time and outside of any caller's request."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Generic, TypeVar

from castor_chassis.context import set_request

T = TypeVar("T")


class SharedCalls(Generic[T]):
    """At most one call in flight per key; callers that come meanwhile get its result.

    The call inherits neither deadline, cancellation nor user of the caller that began it: with them, one caller in a
    hurry would decide for all others.
    """

    def __init__(self) -> None:
        self._running: dict[str, asyncio.Task[T]] = {}

    async def run(self, key: str, call: Callable[[], Awaitable[T]]) -> T:
        """Return what ``call()`` returns, or the result of the call in flight under ``key``; raises what it raises."""
        task = self._running.get(key)
        if task is None:
            task = self._running[key] = asyncio.get_running_loop().create_task(_detached(call))
            task.add_done_callback(lambda done: self._ended(key, done))
        return await asyncio.shield(task)

    def _ended(self, key: str, task: asyncio.Task[T]) -> None:
        del self._running[key]
        if not task.cancelled():
            task.exception()  # Read, so that an error that nobody awaits any more is not logged as lost.


async def _detached(call: Callable[[], Awaitable[T]]) -> T:
    set_request(None)
    return await call()
