"""Wait for what a test expects, with a limit that only a failure reaches."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable


async def until(condition: Callable[[], Awaitable[bool]], seconds: float = 30) -> None:
    """Return as soon as ``condition`` holds.

    :raises TimeoutError: after ``seconds``; generous, because test machines can be slow for seconds.
    """
    async with asyncio.timeout(seconds):
        while not await condition():  # noqa: ASYNC110
            await asyncio.sleep(0.02)
