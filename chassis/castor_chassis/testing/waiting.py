"""Wait for what a test expects, with a limit that only a failure reaches; or do not wait at all."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable

from castor_chassis.client.breaker import GatedBreaker


async def until(condition: Callable[[], Awaitable[bool]], seconds: float = 30) -> None:
    """Return as soon as ``condition`` holds.

    :raises TimeoutError: after ``seconds``; generous, because test machines can be slow for seconds.
    """
    async with asyncio.timeout(seconds):
        while not await condition():  # noqa: ASYNC110
            await asyncio.sleep(0.02)


async def past_full_hour(seconds: float = 30) -> None:
    """Return at once, or behind the next full hour where it is at most ``seconds`` away.

    For tests of hours, days and months: each begins with a full hour in UTC, those of Colombia too.
    """
    left = 3600 - time.time() % 3600
    if left <= seconds:
        await asyncio.sleep(left + 0.01)


def end_pause(breaker: GatedBreaker) -> None:
    """Let the pause of an open breaker be over, so that its next call is the trial.

    A test gives its breaker a pause of minutes, which no slow machine sits out, and ends it when it wants.
    """
    breaker._opened_at -= breaker._reset_seconds
