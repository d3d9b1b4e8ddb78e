"""Equal requests in flight share one production."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable

from openai_service.chat.response_stream import Production
from openai_service.errors import UpstreamUnavailable

MAX_BYTES = 8_000_000


class Flight:
    """One production and those who wait for it; it is stopped when the last of them leaves."""

    def __init__(self, production: Production, landed: Callable[[Flight], Awaitable[None]]) -> None:
        self.production = production
        self.recorded: list[bytes] = []
        self.complete = False
        self.seats = 0
        self._landed = landed
        self._opened = self._over = False
        self._error: BaseException | None = None
        self._news = asyncio.Event()
        self.task = asyncio.get_running_loop().create_task(self._fly())

    async def _fly(self) -> None:
        try:
            await self._produce()
        except Exception as error:
            self._error = error
        except asyncio.CancelledError:
            self._error = UpstreamUnavailable(reason="the call was given up", retry_after_seconds=1)
            raise
        finally:
            self._over = True
            self._tell()
            await self._landed(self)

    async def _produce(self) -> None:
        size = 0
        try:
            await self.production.open()
            self._opened = True
            self._tell()
            async for piece in self.production.pieces():
                size += len(piece)
                if size > MAX_BYTES:
                    raise UpstreamUnavailable(reason="its answer does not end", retry_after_seconds=1)
                self.recorded.append(piece)
                self._tell()
            self.complete = True
        finally:
            await asyncio.shield(self.production.close())

    def _tell(self) -> None:
        self._news.set()
        self._news = asyncio.Event()

    async def opened(self) -> None:
        """Return once the production is open; raises what kept it from that."""
        while not (self._opened or self._over):
            await self._news.wait()
        if not self._opened and self._error is not None:
            raise self._error

    async def follow(self) -> AsyncIterator[bytes]:
        """Yield what was recorded, then what comes; raises what ended the production."""
        at = 0
        while True:
            while at < len(self.recorded):
                yield self.recorded[at]
                at += 1
            if self._over:
                break
            await self._news.wait()
        if self._error is not None:
            raise self._error

    @property
    def failed(self) -> bool:
        """True once the production ended without being complete."""
        return self._over and not self.complete

    def leave(self) -> None:
        """Give up a seat."""
        self.seats -= 1
        if self.seats == 0 and not self._over:
            self.task.cancel()


class Seat:
    """One caller's part in a flight; a ``Production`` itself."""

    def __init__(self, flight: Flight, *, leads: bool) -> None:
        self._flight = flight
        self._taken = True
        self.leads = leads
        flight.seats += 1

    @property
    def degraded(self) -> list[str] | None:
        """See ``Production``."""
        return self._flight.production.degraded

    @property
    def cache(self) -> str | None:
        """See ``Production``."""
        return self._flight.production.cache or (None if self.leads else "shared")

    async def open(self) -> None:
        """See ``Production``."""
        await self._flight.opened()

    def pieces(self) -> AsyncIterator[bytes]:
        """See ``Production``."""
        return self._flight.follow()

    async def close(self) -> None:
        """See ``Production``; the others fly on."""
        if self._taken:
            self._taken = False
            self._flight.leave()


class Flights:
    """The flights of this replica, by what makes requests equal."""

    def __init__(self) -> None:
        self._by_key: dict[str, Flight] = {}

    def board(self, key: str, start: Callable[[], Production], landed: Callable[[Flight], Awaitable[None]]) -> Seat:
        """Return a seat in the flight of ``key``, which ``start`` begins when there is none."""
        flight = self._by_key.get(key)
        if flight is not None and not flight.failed and not flight.task.cancelling():
            return Seat(flight, leads=False)

        async def land(done: Flight) -> None:
            try:
                await landed(done)
            finally:
                if self._by_key.get(key) is done:
                    del self._by_key[key]

        flight = self._by_key[key] = Flight(start(), land)
        return Seat(flight, leads=True)
