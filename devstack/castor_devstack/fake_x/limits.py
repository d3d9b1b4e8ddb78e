"""Rate limits of the fake X, and what it remembers of who ran into them.

Limits and the 15-minute window are those that docs.x.com lists per app (2026-08); tests shorten the window.
"""

from __future__ import annotations

import time
from collections import Counter
from dataclasses import dataclass, field

PER_APP = {
    "search_recent": 450,
    "search_all": 300,
    "counts_recent": 300,
    "counts_all": 300,
    "tweets": 3500,
    "tweet": 450,
    "users_by": 500,
    "timeline": 10_000,
    "rules": 450,
    "rules_change": 100,
    "stream": 50,
    "compliance": 150,
}
WINDOW_SECONDS = 900
CROSSING_SECONDS = 0.25
"""A request that arrives this soon after an injected 429 was written may have been on its way already."""


@dataclass
class Window:
    """The allowance of one endpoint."""

    limit: int
    remaining: int
    reset: int
    """Unix time, whole seconds, as in ``x-rate-limit-reset``."""


@dataclass
class Limits:
    """Windows per endpoint, and every 429 by its reason.

    ``wasted``: asked although the allowance was used up, or during the wait that an injected 429 demanded.
    ``crossing``: arrived within ``crossing_seconds`` of an injected 429, so probably sent before it was read.
    ``injected``: the faults themselves.
    """

    window_seconds: int = WINDOW_SECONDS
    per_window: dict[str, int] = field(default_factory=lambda: dict(PER_APP))
    crossing_seconds: float = CROSSING_SECONDS
    refused: Counter[str] = field(default_factory=Counter)
    _windows: dict[str, Window] = field(default_factory=dict)
    _blocked: dict[str, tuple[float, int]] = field(default_factory=dict)

    def take(self, endpoint: str) -> tuple[bool, dict[str, str]]:
        """Count one request; return whether it is allowed and the headers of its answer."""
        window = self._window(endpoint)
        written_at, until = self._blocked.get(endpoint, (0.0, 0))
        now = time.time()
        if now < until:
            self.refused["crossing" if now - written_at < self.crossing_seconds else "wasted"] += 1
            return False, _headers(Window(window.limit, 0, until))
        if window.remaining == 0:
            self.refused["wasted"] += 1
            return False, _headers(window)
        window.remaining -= 1
        return True, _headers(window)

    def block(self, endpoint: str, seconds: float) -> dict[str, str]:
        """Refuse the endpoint for about ``seconds``, as when another client of the same key used the window up."""
        now = time.time()
        until = int(now + seconds) + 1
        self._blocked[endpoint] = (now, until)
        self.refused["injected"] += 1
        return _headers(Window(self._window(endpoint).limit, 0, until))

    def _window(self, endpoint: str) -> Window:
        limit = self.per_window[endpoint]
        found = self._windows.get(endpoint)
        now = time.time()
        if found is None or now >= found.reset:
            found = self._windows[endpoint] = Window(limit, limit, int(now) + self.window_seconds)
        return found


def _headers(window: Window) -> dict[str, str]:
    return {
        "x-rate-limit-limit": str(window.limit),
        "x-rate-limit-remaining": str(window.remaining),
        "x-rate-limit-reset": str(window.reset),
    }
