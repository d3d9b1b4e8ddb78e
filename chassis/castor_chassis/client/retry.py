"""One loop around an attempt: budget, breaker, time limit, and when to try again.

Every outbound call uses it, whatever its protocol: calls of services, of language models and of X. The order, from
the outside in: retry, what the caller admits an attempt with (its bulkhead, its allowance), breaker, time limit.

The breaker counts failures of the peer alone. An attempt that ends because its caller went away, or because the
caller's own deadline left it less than the policy's time, says nothing about the peer: it neither counts nor
resets the count. The same holds for refusals (4xx), for 429, and for errors of our own.
"""

from __future__ import annotations

import asyncio
import random
import time
from collections.abc import Awaitable, Callable
from contextlib import AbstractAsyncContextManager, nullcontext
from dataclasses import dataclass
from datetime import UTC
from email.utils import parsedate_to_datetime
from typing import Any, TypeVar

from castor_chassis.client.breaker import BreakerOpen, GatedBreaker
from castor_chassis.context import remaining_seconds
from castor_chassis.wire.errors import DeadlineExceeded

T = TypeVar("T")

IDEMPOTENT = frozenset({"GET", "HEAD", "OPTIONS", "PUT", "DELETE"})
RETRYABLE_STATUS = frozenset({429, 502, 503, 504})


class RetryBudget:
    """A token bucket that limits retries to ``ratio`` of the calls, beyond a burst.

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


@dataclass(frozen=True, slots=True)
class RetryPolicy:
    """Attempts, time limits and breaker of the calls of one peer; ``ServiceSettings`` describes the first four."""

    attempts: int = 3
    attempt_timeout_seconds: float = 5.0
    fail_max: int = 5
    reset_seconds: float = 60.0
    backoff_base_seconds: float = 0.05
    time_share: float = 1.0
    """Part of the caller's remaining time for attempts and waits; the rest is left for an answer without the peer."""


class AttemptFailed(Exception):
    """One attempt went wrong; raised by an attempt, turned into ``error`` by the loop.

    ``repeatable``: another attempt may help and does no harm. ``wait_seconds``: what the peer asked for
    (``Retry-After``); None for the loop's own back-off. ``outage``: the peer is to blame, the breaker counts it.
    ``throttled``: the next attempt waits where it is admitted, for as long as the peer said; it costs no retry.
    """

    def __init__(
        self,
        error: Exception,
        *,
        repeatable: bool,
        wait_seconds: float | None = None,
        outage: bool = True,
        throttled: bool = False,
    ) -> None:
        super().__init__(str(error))
        self.error = error
        self.repeatable = repeatable
        self.wait_seconds = wait_seconds
        self.outage = outage
        self.throttled = throttled


class Retrier:
    """The attempts of one process at one peer; holds the breaker and the budget that they share."""

    def __init__(self, name: str, policy: RetryPolicy, *, on_retry: Callable[[], object] = lambda: None) -> None:
        self._policy = policy
        self._on_retry = on_retry
        self._budget = RetryBudget()
        self.breaker = GatedBreaker(
            name,
            fail_max=policy.fail_max,
            reset_seconds=policy.reset_seconds,
            counts=lambda error: isinstance(error, AttemptFailed) and error.outage,
        )

    async def run(
        self,
        attempt: Callable[[float], Awaitable[T]],
        *,
        late: Callable[[float], AttemptFailed],
        refused: Callable[[float], Exception],
        admit: Callable[[], AbstractAsyncContextManager[Any]] = nullcontext,
        timeout_seconds: float | None = None,
    ) -> T:
        """Return what ``attempt(seconds)`` returns, trying again where that may help.

        ``attempt`` raises ``AttemptFailed``, or any other error, which ends the call. ``late(seconds)`` is the failure
        of an attempt that took longer than its time, ``refused(seconds)`` the error while the breaker refuses calls
        for so long. ``admit()`` surrounds each attempt outside the breaker. ``timeout_seconds`` replaces the policy's
        time per attempt. Raises ``DeadlineExceeded`` when no time is left to begin.
        """
        self._budget.earn()
        number = 0
        while True:
            self._require_time()
            try:
                async with admit():
                    return await self._guarded(attempt, late, refused, timeout_seconds)
            except AttemptFailed as failed:
                number += not failed.throttled
                wait = self._wait_seconds(failed, number)
                if wait is None:
                    raise failed.error from failed.__cause__
            self._on_retry()
            await asyncio.sleep(wait)

    async def _guarded(
        self,
        attempt: Callable[[float], Awaitable[T]],
        late: Callable[[float], AttemptFailed],
        refused: Callable[[float], Exception],
        timeout_seconds: float | None,
    ) -> T:
        try:
            return await self.breaker.guard(lambda: self._timed(attempt, late, timeout_seconds))
        except BreakerOpen as error:
            raise refused(error.retry_after_seconds) from error

    async def _timed(
        self,
        attempt: Callable[[float], Awaitable[T]],
        late: Callable[[float], AttemptFailed],
        timeout_seconds: float | None,
    ) -> T:
        limit = timeout_seconds or self._policy.attempt_timeout_seconds
        self._require_time()
        seconds = self.seconds(limit)
        try:
            async with asyncio.timeout(seconds):
                return await attempt(seconds)
        except TimeoutError as error:
            failed = late(seconds)
            failed.outage = failed.outage and seconds >= limit
            raise failed from error

    def seconds(self, limit_seconds: float | None = None) -> float:
        """Return how long an attempt that begins now may take: its limit, the policy's by default, or what is left."""
        return min(limit_seconds or self._policy.attempt_timeout_seconds, self._left())

    def _require_time(self) -> None:
        if self._left() <= 0:
            raise DeadlineExceeded(seconds=0)

    def _left(self) -> float:
        left = remaining_seconds()
        return float("inf") if left is None else left * self._policy.time_share

    def _wait_seconds(self, failed: AttemptFailed, number: int) -> float | None:
        """Return how long to wait before the next attempt, None when there is none; ``number`` were made."""
        if failed.throttled:
            return 0.0
        wait = failed.wait_seconds
        if wait is None:
            wait = backoff_seconds(number - 1, base=self._policy.backoff_base_seconds)
        may_repeat = failed.repeatable and number < self._policy.attempts and wait < self._left()
        return wait if may_repeat and self._budget.spend() else None
