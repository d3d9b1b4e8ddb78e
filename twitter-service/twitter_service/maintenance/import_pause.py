"""Lets imports of this process go first."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable


class ImportPause:
    """Holds background work back while this process imports, for at most ``max_seconds`` since ``restart``."""

    def __init__(self, is_importing: Callable[[], bool], *, max_seconds: float, poll_seconds: float) -> None:
        self._is_importing = is_importing
        self._max_seconds = max_seconds
        self._poll_seconds = poll_seconds
        self._until = 0.0
        self.restart()

    def restart(self) -> None:
        """Begin a new period of at most ``max_seconds``."""
        self._until = time.monotonic() + self._max_seconds

    async def wait(self) -> None:
        """Return as soon as no import runs, or the period is over."""
        while self._is_importing() and time.monotonic() < self._until:  # noqa: ASYNC110
            await asyncio.sleep(self._poll_seconds)
