"""Whether requests take as long as one another."""

from __future__ import annotations

import statistics
import time
from collections.abc import Awaitable, Callable

ROUNDS = 5


async def take_as_long(*asks: Callable[[], Awaitable[object]], samples: int, share: float) -> bool:
    """Return whether the shortest median of the times of ``asks`` is more than a ``share`` of the longest.

    Each is asked ``samples`` times, in turns. Something else that the machine does may spoil a round, so one of several
    is enough: a difference that tells something is there in each.
    """
    for _ in range(ROUNDS):
        seconds: list[list[float]] = [[] for _ in asks]
        for _ in range(samples):
            for ask, taken in zip(asks, seconds, strict=True):
                began = time.perf_counter()
                await ask()
                taken.append(time.perf_counter() - began)
        typical = [statistics.median(taken) for taken in seconds]
        if min(typical) > share * max(typical):
            return True
    return False
