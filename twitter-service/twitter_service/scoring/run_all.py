"""Several coroutines as one piece of background work."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from typing import Any


async def run_all(*works: Coroutine[Any, Any, None]) -> None:
    """Run all of these until one fails; then the others are cancelled, and its error is raised as it is."""
    tasks = [asyncio.ensure_future(work) for work in works]
    try:
        await asyncio.gather(*tasks)
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
