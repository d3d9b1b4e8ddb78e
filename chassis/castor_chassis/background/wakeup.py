"""Wake-ups of background work: one waiter that must miss none, and many waiters told at once."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from contextlib import suppress


class Wakeup:
    """Wakes one worker; a ``set()`` at any moment makes the current or the next ``wait()`` return.

    The flag is cleared when ``wait()`` returns, that is before the worker looks for work, so a ``set()`` during the
    work is kept for the next ``wait()``. There is nothing to clear by hand::

        while True:
            await do_what_there_is()
            await wakeup.wait(POLL_SECONDS)

    For one waiter: with several, one ``set()`` may wake one of them or all.
    """

    def __init__(self) -> None:
        self._event = asyncio.Event()

    def set(self) -> None:
        """Wake the worker, now or when it next waits; several calls before that count as one."""
        self._event.set()

    async def wait(self, timeout_seconds: float | None = None) -> bool:
        """Return True once ``set()`` was called since the last return, False after ``timeout_seconds`` without."""
        with suppress(TimeoutError):
            async with asyncio.timeout(timeout_seconds):
                await self._event.wait()
        # Read again: set() may have been called after the time was up and before this task ran on.
        woken = self._event.is_set()
        self._event.clear()
        return woken


class Broadcast:
    """Tells every task that waits for a condition to look at it again."""

    def __init__(self) -> None:
        self._changed = asyncio.Event()

    def notify(self) -> None:
        """Make all waiting tasks check their condition; call it after changing what they look at."""
        self._changed.set()
        self._changed = asyncio.Event()

    async def wait_for(self, condition: Callable[[], bool], timeout_seconds: float | None = None) -> bool:
        """Return True once ``condition()`` holds, False when it does not within ``timeout_seconds``.

        The condition is evaluated at once and after each ``notify()``; nothing can come between a look and the wait.
        """
        with suppress(TimeoutError):
            async with asyncio.timeout(timeout_seconds):
                while not condition():
                    await self._changed.wait()
        return condition()
