"""When to try again: what may be repeated, how long to wait, and how much retrying is affordable."""

from __future__ import annotations

import random
import time
from datetime import UTC
from email.utils import parsedate_to_datetime

IDEMPOTENT = frozenset({"GET", "HEAD", "OPTIONS", "PUT", "DELETE"})
RETRYABLE_STATUS = frozenset({429, 502, 503, 504})


class RetryBudget:
    """A token bucket that lets retries be at most ``ratio`` of the calls of late.

    Without it, retries multiply the load on a peer that is already failing.
    """

    def __init__(self, ratio: float = 0.2, burst: float = 10.0) -> None:
        self._ratio = ratio
        self._burst = burst
        self._tokens = burst

    def earn(self) -> None:
        """Count one first attempt."""
        self._tokens = min(self._burst, self._tokens + self._ratio)

    def spend(self) -> bool:
        """Take one retry; False when the budget is used up."""
        if self._tokens < 1:
            return False
        self._tokens -= 1
        return True


def backoff_seconds(attempt: int, *, base: float = 0.05, cap: float = 5.0) -> float:
    """Return a full-jitter delay in [0, min(cap, base * 2**attempt)] seconds.

    Source: "Exponential Backoff And Jitter", AWS Architecture Blog, 2015.
    """
    return random.uniform(0, min(cap, base * 2.0**attempt))


def retry_after_seconds(header: str | None) -> float | None:
    """Read ``Retry-After`` (seconds or an HTTP date) as seconds from now; None when absent or unreadable."""
    if header is None:
        return None
    try:
        return max(0.0, float(header))
    except ValueError:
        pass
    try:
        moment = parsedate_to_datetime(header)
    except ValueError:
        return None
    return max(0.0, moment.replace(tzinfo=moment.tzinfo or UTC).timestamp() - time.time())
