"""Faults of the fake X, in the order in which they were asked for."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Literal

Kind = Literal["429", "503", "500", "cut", "duplicate", "empty_page", "slow", "not_json"]
KINDS: tuple[Kind, ...] = ("429", "503", "500", "cut", "duplicate", "empty_page", "slow", "not_json")


@dataclass(frozen=True)
class Fault:
    """What goes wrong once, on ``endpoint`` or on whichever is asked next; ``seconds`` is for 429 and slow."""

    kind: Kind
    endpoint: str | None = None
    seconds: float = 1.0


@dataclass
class Faults:
    """Faults to come: one on every ``every``-th request that could have it."""

    every: int = 1
    waiting: list[Fault] = field(default_factory=list)
    happened: Counter[str] = field(default_factory=Counter)
    _asked: int = 0

    def plan(self, faults: Iterable[Fault], *, every: int = 1) -> None:
        """Let ``faults`` happen, one on every ``every``-th request."""
        self.waiting.extend(faults)
        self.every = every

    def next(self, endpoint: str) -> Fault | None:
        """Return what goes wrong with this request."""
        fitting = next((fault for fault in self.waiting if fault.endpoint in (None, endpoint)), None)
        if fitting is None:
            return None
        self._asked += 1
        if self._asked % self.every:
            return None
        self.waiting.remove(fitting)
        self.happened[fitting.kind] += 1
        return fitting
