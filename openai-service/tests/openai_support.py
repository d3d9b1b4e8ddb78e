"""Names that the test modules share."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import AbstractAsyncContextManager

from openai import AsyncOpenAI

from castor_chassis.testing import RunningService

KEY = "sk-castor-0123456789abcdefSECRET"
Run = Callable[..., AbstractAsyncContextManager[RunningService]]
Sdk = Callable[[RunningService], AsyncOpenAI]


async def until(condition: Callable[[], Awaitable[bool]], seconds: float = 20) -> None:
    """Wait until ``condition`` holds."""
    async with asyncio.timeout(seconds):
        while not await condition():
            await asyncio.sleep(0.02)
