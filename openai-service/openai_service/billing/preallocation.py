"""Money held for calls to come: where a budget has plenty, one statement holds for many, and each takes its part."""

from __future__ import annotations

import asyncio
from collections import OrderedDict, deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date
from uuid import UUID

Key = tuple[date, tuple[str, ...]]
_BUSY_SECONDS = 1.0
_KEYS = 1000


@dataclass(frozen=True, slots=True)
class Part:
    """What of a hold is for one call."""

    hold: UUID
    nano: int


@dataclass(slots=True)
class Advance:
    """What of a hold no call has taken yet, and when it must be given back (event loop's time)."""

    hold: UUID
    left_nano: int
    ends: float


class Advances:
    """Advances by month and accounts. Each is used for ``seconds`` at most: a part's lease must outlast its call.

    ``give_back`` gets what is left of an advance, once.
    """

    def __init__(self, *, calls: int, seconds: float, give_back: Callable[[Part], None]) -> None:
        self._calls = calls
        self._seconds = seconds
        self._give_back = give_back
        self._open: dict[Key, deque[Advance]] = {}
        self._asked: OrderedDict[Key, float] = OrderedDict()

    def take(self, key: Key, nano: int) -> Part | None:
        """Return a part of ``nano`` of what is held already; None when there is none."""
        for advance in self._open.get(key, ()):
            if advance.left_nano >= nano and advance.ends > _now():
                advance.left_nano -= nano
                return Part(advance.hold, nano)
        return None

    def wanted(self, key: Key, nano: int) -> int:
        """Return what to hold ahead with a call of ``nano``: nothing unless such calls come close together."""
        now, before = _now(), self._asked.pop(key, None)
        self._asked[key] = now
        if len(self._asked) > _KEYS:
            self._asked.popitem(last=False)
        busy = before is not None and now - before < _BUSY_SECONDS
        return nano * self._calls if busy else 0

    def add(self, key: Key, hold: UUID, nano: int, asked_at: float) -> None:
        """Note that ``hold``, asked for at ``asked_at``, holds ``nano`` ahead."""
        advance = Advance(hold, nano, asked_at + self._seconds)
        self._open.setdefault(key, deque()).append(advance)
        asyncio.get_running_loop().call_at(advance.ends, self._end, key, advance)

    def end(self) -> bool:
        """Give back all that is left, at once; returns whether anything was."""
        advances = [(key, advance) for key, found in self._open.items() for advance in found]
        return sum(self._end(key, advance) for key, advance in advances) > 0

    def _end(self, key: Key, advance: Advance) -> bool:
        found = self._open.get(key, deque())
        if advance not in found:
            return False
        found.remove(advance)
        if not found:
            self._open.pop(key, None)
        left, advance.left_nano = advance.left_nano, 0
        if left:
            self._give_back(Part(advance.hold, left))
        return left > 0


def _now() -> float:
    return asyncio.get_running_loop().time()


def accounts_key(month: date, accounts: Sequence[str]) -> Key:
    """Return what calls must have in common to share an advance."""
    return month, tuple(accounts)
