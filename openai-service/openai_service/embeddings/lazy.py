"""Values that cost memory and time to load, loaded when they are first needed."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any, Generic, TypeVar

T = TypeVar("T")
InThread = Callable[..., Awaitable[Any]]


class Lazy(Generic[T]):
    """A value that ``load`` returns, loaded at most once, in a worker thread.

    Concurrent callers share one load. After a load that failed, the next call loads again.
    """

    def __init__(self, load: Callable[[], T], in_thread: InThread) -> None:
        self._load = load
        self._in_thread = in_thread
        self._loading: asyncio.Future[T] | None = None
        self._value: T | None = None

    @property
    def value(self) -> T | None:
        """The value if it is loaded; may be read in any thread."""
        return self._value

    def begin(self, run: Callable[[Callable[[], T]], asyncio.Future[T]] | None = None) -> asyncio.Future[T]:
        """Begin loading unless it has begun or is done, and return the load.

        ``run`` runs the load elsewhere than in the given threads, for example as a condition of readiness.
        """
        if self._loading is None or _failed(self._loading):
            self._loading = run(self._load_now) if run else asyncio.ensure_future(self._in_thread(self._load_now))
        return self._loading

    async def get(self) -> T:
        """Return the value once it is loaded; raises what ``load`` raises. A cancelled caller does not end the load."""
        return await asyncio.shield(self.begin())

    def _load_now(self) -> T:
        self._value = self._load()
        return self._value


def _failed(loading: asyncio.Future[Any]) -> bool:
    return loading.done() and (loading.cancelled() or loading.exception() is not None)
