"""The order in which waiting work is computed: requests take turns, and a turn is one portion of work.

A request of at most one portion is served whole, in the order of arrival: later requests do not delay it, so the wait
predicted when it was admitted holds. A larger request is cut into smaller pieces and gets one piece in each turn, so
small requests pass it and it is never starved.
"""

from __future__ import annotations

import math
from bisect import insort
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Generic, Protocol, TypeVar


class Work(Protocol):
    """A piece of work."""

    @property
    def cost(self) -> int:
        """How much work it is, in tokens; at least 1."""
        ...

    def is_awaited(self) -> bool:
        """Return whether a caller still waits for it."""
        ...


W = TypeVar("W", bound=Work)


@dataclass(order=True, slots=True)
class _Portion(Generic[W]):
    turn: int
    number: int
    works: list[W] = field(compare=False)
    cost: int = field(compare=False)


class FairQueue(Generic[W]):
    """Waiting work of many requests, taken in batches of similar cost.

    A batch computes each of its works at the cost of the largest one (they are padded to one length), so ``take``
    chooses works of similar cost, and none whose padding costs more than ``overhead``, the cost of one more batch.
    ``portion`` is the cost up to which a request is served in one turn; a larger request gets a quarter of that in
    each turn. Works that no caller waits for any more are moved to ``dropped``.
    """

    def __init__(self, portion: int, overhead: int) -> None:
        self._portion = portion
        self._overhead = overhead
        self._piece = max(1, portion // 4)
        self._portions: list[_Portion[W]] = []
        self._now = 0
        self._pushed = 0
        self.count = 0
        self.dropped: list[W] = []

    def push(self, works: Sequence[W]) -> None:
        """Add the works of one request."""
        for turn, portion in enumerate(self._cut(works), self._now + 1):
            self._pushed += 1
            insort(self._portions, _Portion(turn, self._pushed, portion, _cost(portion)))
        self.count += len(works)

    def ahead(self, cost: int) -> int:
        """Return the cost of what is served before the last work of a request of ``cost`` that came now.

        Work that no caller waits for any more counts until it is dropped.
        """
        last = self._now + (1 if cost <= self._portion else math.ceil(cost / self._piece))
        return sum(portion.cost for portion in self._portions if portion.turn <= last)

    def take(self, budget: int, within: int) -> list[W]:
        """Return the next batch, at most ``budget`` with padding: the first work, and similar ones of ``within`` works.

        One work is taken whatever it costs. The list is empty if nothing waits.
        """
        pool, depth = self._pool(within)
        if not pool:
            return []
        head = self._portions[0]
        batch = self._neighbours(pool, max(head.works, key=lambda work: work.cost), budget)
        taken = set(map(id, batch))
        self._keep(depth, lambda work: id(work) not in taken)
        # The turn ends with its last work; requests that arrive before that share it.
        self._now = max(self._now, head.turn - bool(head.works))
        return batch

    def _neighbours(self, pool: Sequence[W], first: W, budget: int) -> list[W]:
        batch, largest = list[W](), 0
        for work in sorted(pool, key=lambda work: (abs(work.cost - first.cost), work is not first)):
            padded = max(largest, work.cost) * (len(batch) + 1)
            if batch and padded - largest * len(batch) - work.cost > self._overhead:
                continue
            if batch and padded > budget:
                break
            batch.append(work)
            largest = max(largest, work.cost)
        return batch

    def _cut(self, works: Sequence[W]) -> Iterator[list[W]]:
        size = self._portion if _cost(works) <= self._portion else self._piece
        portion, cost = list[W](), 0
        for work in sorted(works, key=lambda work: work.cost):
            if portion and cost + work.cost > size:
                yield portion
                portion, cost = [], 0
            portion.append(work)
            cost += work.cost
        if portion:
            yield portion

    def _pool(self, within: int) -> tuple[list[W], int]:
        """Return about ``within`` works from the front that are still awaited, and how many portions hold them."""
        while self._portions:
            size = depth = 0
            while size < within and depth < len(self._portions):
                size += len(self._portions[depth].works)
                depth += 1
            front = (work for portion in self._portions[:depth] for work in portion.works)
            self.dropped += [work for work in front if not work.is_awaited()]
            depth = self._keep(depth, lambda work: work.is_awaited())
            if depth:
                return [work for portion in self._portions[:depth] for work in portion.works], depth
        return [], 0

    def _keep(self, depth: int, keep: Callable[[W], bool]) -> int:
        """Drop the other works of the first ``depth`` portions and return how many of these portions remain."""
        front = self._portions[:depth]
        size = sum(len(portion.works) for portion in front)
        for portion in front:
            portion.works = [work for work in portion.works if keep(work)]
            portion.cost = _cost(portion.works)
        front = [portion for portion in front if portion.works]
        self.count -= size - sum(len(portion.works) for portion in front)
        self._portions[:depth] = front
        return len(front)


def _cost(works: Sequence[Work]) -> int:
    return sum(work.cost for work in works)
