"""Whether the feed is bringing changes just now."""

from __future__ import annotations

import time
from collections.abc import Callable

QUIET_SECONDS = 3.0
"""So long after the last change the feed is quiet; batches of scores come more often than that."""


class FeedTraffic:
    """Says for how long what can wait should wait: while changes come, but at most ``longest_seconds`` at a stretch."""

    def __init__(self, longest_seconds: float, clock: Callable[[], float] = time.monotonic) -> None:
        self._longest = longest_seconds
        self._clock = clock
        self._began = self._last = float("-inf")

    def note(self) -> None:
        """Note that changes have come."""
        now = self._clock()
        if now - self._last > QUIET_SECONDS:
            self._began = now
        self._last = now

    def is_busy(self) -> bool:
        """True while changes come and the stretch is not longer than allowed; always False with 0 seconds."""
        now = self._clock()
        return now - self._last <= QUIET_SECONDS and now - self._began < self._longest
