"""Preallocated holds: where a budget has plenty, one statement holds money for many calls, and each takes its part."""

from __future__ import annotations

import asyncio
from collections import OrderedDict, deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date
from uuid import UUID

Key = tuple[date, tuple[str, ...]]
_BUSY_SECONDS = 1.0
_MAX_KEYS = 1000


@dataclass(frozen=True, slots=True)
class Allocation:
    """The part of a hold that belongs to one call, in nano-USD."""

    hold: UUID
    nano: int


@dataclass(slots=True)
class Preallocation:
    """The part of a hold that no call has taken yet, and when it must be given back (time of the event loop)."""

    hold: UUID
    left_nano: int
    ends: float


class Preallocations:
    """Preallocations by month and accounts.

    Each is used for at most ``seconds``, because the lease of a hold must outlast the calls that take from it.
    ``on_unused`` gets what is left of a preallocation, once.
    """

    def __init__(self, *, calls: int, seconds: float, on_unused: Callable[[Allocation], None]) -> None:
        self._calls = calls
        self._seconds = seconds
        self._on_unused = on_unused
        self._open: dict[Key, deque[Preallocation]] = {}
        self._requested: OrderedDict[Key, float] = OrderedDict()

    def take(self, key: Key, nano: int) -> Allocation | None:
        """Return ``nano`` of what is held already; None when there is not enough."""
        for preallocation in self._open.get(key, ()):
            if preallocation.left_nano >= nano and preallocation.ends > _now():
                preallocation.left_nano -= nano
                return Allocation(preallocation.hold, nano)
        return None

    def wanted(self, key: Key, nano: int) -> int:
        """Return how much to preallocate with a call of ``nano``: 0 unless such calls follow one another closely."""
        now, before = _now(), self._requested.pop(key, None)
        self._requested[key] = now
        if len(self._requested) > _MAX_KEYS:
            self._requested.popitem(last=False)
        busy = before is not None and now - before < _BUSY_SECONDS
        return nano * self._calls if busy else 0

    def add(self, key: Key, hold: UUID, nano: int, requested_at: float) -> None:
        """Add ``nano`` of ``hold``, which was requested at ``requested_at``."""
        preallocation = Preallocation(hold, nano, requested_at + self._seconds)
        self._open.setdefault(key, deque()).append(preallocation)
        asyncio.get_running_loop().call_at(preallocation.ends, self._end, key, preallocation)

    def end(self) -> bool:
        """Give back everything that is left; returns whether there was anything."""
        found = [(key, preallocation) for key, queue in self._open.items() for preallocation in queue]
        return sum(self._end(key, preallocation) for key, preallocation in found) > 0

    def _end(self, key: Key, preallocation: Preallocation) -> bool:
        queue = self._open.get(key, deque())
        if preallocation not in queue:
            return False
        queue.remove(preallocation)
        if not queue:
            self._open.pop(key, None)
        left, preallocation.left_nano = preallocation.left_nano, 0
        if left:
            self._on_unused(Allocation(preallocation.hold, left))
        return left > 0


def _now() -> float:
    return asyncio.get_running_loop().time()


def accounts_key(month: date, accounts: Sequence[str]) -> Key:
    """Return what calls must have in common to share a preallocation."""
    return month, tuple(accounts)
