"""How many requests one caller has open: long polls and streams of one must not take all places of a service."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from functools import partial

from castor_chassis.metrics import SHED
from castor_chassis.wire.errors import TooManyOpen


class CallerPlaces:
    """At most ``limit`` requests of a caller at a time, in each process."""

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._taken: Counter[str] = Counter()

    def take(self, caller: str) -> Callable[[], None]:
        """Take a place and return what gives it back; raises ``TooManyOpen`` when the caller has none left."""
        if self._taken[caller] >= self._limit:
            SHED.inc()
            raise TooManyOpen(limit=self._limit, retry_after_seconds=1)
        self._taken[caller] += 1
        return partial(self._give_back, caller)

    def _give_back(self, caller: str) -> None:
        self._taken[caller] -= 1
        if not self._taken[caller]:
            del self._taken[caller]
