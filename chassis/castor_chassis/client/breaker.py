"""A circuit breaker: aiobreaker, with admission and outcome decided here.

aiobreaker 1.2 counts and notifies well, but its half-open state admits every concurrent call, late
failures extend an outage, a stale success closes an open breaker, excluded errors reset the count,
and its clock mixes UTC with local time. This subclass keeps its states
and listeners and decides admission and outcome itself, by a monotonic clock.
"""

from __future__ import annotations

import time
from collections.abc import Awaitable, Callable
from datetime import timedelta
from typing import Any, TypeVar

from aiobreaker import CircuitBreaker, CircuitBreakerListener
from aiobreaker.state import CircuitBreakerState as State

from castor_chassis.metrics import BREAKER_STATE, BREAKER_TRANSITIONS

T = TypeVar("T")
_LEVEL = {State.CLOSED: 0, State.HALF_OPEN: 1, State.OPEN: 2}


class BreakerOpen(Exception):
    """The call was not made; ``retry_after_seconds`` until a trial is allowed."""

    def __init__(self, retry_after_seconds: float) -> None:
        super().__init__("circuit breaker is open")
        self.retry_after_seconds = retry_after_seconds


class _Metrics(CircuitBreakerListener):  # type: ignore[misc]
    def state_change(self, breaker: CircuitBreaker, _old: Any, new: Any) -> None:
        BREAKER_STATE.labels(breaker.name).set(_LEVEL[new.state])
        BREAKER_TRANSITIONS.labels(breaker.name, new.state.name.lower()).inc()


class GatedBreaker(CircuitBreaker):  # type: ignore[misc]
    """Opens after ``fail_max`` consecutive failures, lets exactly one trial through after ``reset_seconds``.

    ``counts`` tells a failure of the peer from an error that says nothing about its health; the latter
    neither counts nor resets the count, and neither does a cancellation: it is the caller that goes away.
    Not for use from several threads.
    """

    def __init__(
        self, name: str, *, fail_max: int, reset_seconds: float, counts: Callable[[Exception], bool] | None = None
    ) -> None:
        super().__init__(
            fail_max=fail_max, timeout_duration=timedelta(seconds=reset_seconds), listeners=[_Metrics()], name=name
        )
        self._reset_seconds = reset_seconds
        self._counts = counts or (lambda _error: True)
        self._generation = 0
        self._opened_at = 0.0
        self._probing = False
        BREAKER_STATE.labels(name).set(0)

    @property
    def is_open(self) -> bool:
        """True while calls are refused."""
        return self.current_state is State.OPEN

    def open(self) -> None:
        """Refuse calls; a breaker that is open already keeps its time of opening."""
        if self.current_state is State.OPEN:
            return
        self._generation += 1
        self._opened_at = time.monotonic()
        super().open()

    def half_open(self) -> None:
        """Allow one trial."""
        self._generation += 1
        super().half_open()

    def close(self) -> None:
        """Allow all calls again."""
        self._generation += 1
        super().close()

    async def guard(self, call: Callable[[], Awaitable[T]]) -> T:
        """Await ``call`` under the breaker; raises ``BreakerOpen`` without calling when it is open."""
        generation = self._admit()
        try:
            result = await call()
        except Exception as error:
            if self._counts(error):
                self._failed(generation)
            raise
        else:
            self._succeeded(generation)
            return result
        finally:
            if generation == self._generation:
                self._probing = False

    def _admit(self) -> int:
        # There is no await between the test and the mark, so one caller at most becomes the trial.
        if self.current_state is State.OPEN:
            left = self._opened_at + self._reset_seconds - time.monotonic()
            if left > 0:
                raise BreakerOpen(left)
            self.half_open()
            self._probing = False
        if self.current_state is State.HALF_OPEN:
            if self._probing:
                raise BreakerOpen(1.0)
            self._probing = True
        return self._generation

    def _failed(self, generation: int) -> None:
        if generation != self._generation:
            return
        self._inc_counter()
        if self.current_state is State.HALF_OPEN or self.fail_counter >= self.fail_max:
            self.open()

    def _succeeded(self, generation: int) -> None:
        if generation != self._generation:
            return
        if self.current_state is State.HALF_OPEN:
            self.close()
        else:
            self._state_storage.reset_counter()
