"""Answers of auth-service that are kept until something that they depend on is revoked."""

from __future__ import annotations

from collections import OrderedDict, defaultdict
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import Generic, TypeVar

Value = TypeVar("Value")
_ALL = ""


class Remembered(Generic[Value]):
    """At most ``size`` answers, each under a key, with the names of what it depends on; the oldest go first."""

    def __init__(self, size: int) -> None:
        self._size = size
        self._held: OrderedDict[str, tuple[Value, frozenset[str]]] = OrderedDict()
        self._keys: defaultdict[str, set[str]] = defaultdict(set)
        self._asking: dict[object, set[str]] = {}

    def get(self, key: str) -> Value | None:
        """Return the answer under ``key``."""
        return self._held[key][0] if key in self._held else None

    @contextmanager
    def asking(self) -> Iterator[set[str]]:
        """Give, for ``put``, the names that are forgotten while an answer is awaited: it may be older than that."""
        call, forgotten = object(), set[str]()
        self._asking[call] = forgotten
        try:
            yield forgotten
        finally:
            del self._asking[call]

    def put(self, key: str, value: Value, names: Iterable[str], forgotten: set[str]) -> None:
        """Keep an answer, unless it depends on what was ``forgotten`` while it was awaited."""
        self.drop(key)
        held = frozenset((_ALL, *names))
        if held.isdisjoint(forgotten):
            self._held[key] = value, held
            for name in held:
                self._keys[name].add(key)
            if len(self._held) > self._size:
                self.drop(next(iter(self._held)))

    def forget(self, name: str = _ALL) -> None:
        """Forget the answers that depend on ``name``; without one, all."""
        for forgotten in self._asking.values():
            forgotten.add(name)
        for key in list(self._keys.get(name, ())):
            self.drop(key)

    def drop(self, key: str) -> None:
        """Forget the answer under ``key``, if there is one."""
        _, names = self._held.pop(key, (None, ()))
        for name in names:
            self._keys[name].discard(key)
            if not self._keys[name]:
                del self._keys[name]
