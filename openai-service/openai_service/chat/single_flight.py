"""Single-flight: equal requests that are in flight at the same time share one answer."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import replace

from castor_chassis import Broadcast, current_request
from castor_chassis.context import remaining_seconds, set_request
from openai_service.chat.response_stream import Answer
from openai_service.errors import CallerTimedOut, UpstreamUnavailable

MAX_BYTES = 8_000_000
_TIME_SHARE = 0.95
"""Of a subscriber's time; more than the call itself takes of the last one's, so that the call tells what happened."""

_SAME_DEADLINE_SECONDS = 0.01


def _seconds_to_wait() -> float | None:
    left = remaining_seconds()
    return None if left is None else max(0.0, left * _TIME_SHARE)


class InFlightRequest:
    """One answer that is being produced, recorded, and read by its subscribers; cancelled when the last one leaves.

    Its deadline is the latest of its subscribers': a caller in a hurry does not decide for the others.

    ``open_answer`` returns the opened answer. ``on_complete`` gets this request when it has ended, however it ended.
    """

    def __init__(
        self,
        open_answer: Callable[[], Awaitable[Answer]],
        on_complete: Callable[[InFlightRequest], Awaitable[None]],
    ) -> None:
        self.answer: Answer | None = None
        """The answer once it is open."""
        self.recorded: list[bytes] = []
        self.subscribers = 0
        self._open_answer = open_answer
        self._on_complete = on_complete
        self._complete = self._over = False
        self._error: BaseException | None = None
        self._progress = Broadcast()
        info = current_request()
        self._info = None if info is None else replace(info, claim=None, give_back=None)
        self._task = asyncio.get_running_loop().create_task(self._run())

    @property
    def content(self) -> bytes | None:
        """The answer's bytes if it is complete; None otherwise."""
        return b"".join(self.recorded) if self._complete else None

    @property
    def joinable(self) -> bool:
        """True unless the request has failed, was cancelled, or is answered without a model."""
        if self.answer is not None and self.answer.degraded:
            return False
        return not (self._over and not self._complete) and not self._task.cancelling()

    def allow(self, seconds: float | None) -> None:
        """Give the request ``seconds`` from now, if it has less; None: as long as it takes."""
        if self._info is None or self._info.deadline is None:
            return
        now = asyncio.get_running_loop().time()
        self._info.deadline = None if seconds is None else max(self._info.deadline, now + seconds)

    async def _run(self) -> None:
        set_request(self._info)
        try:
            await self._produce()
        except Exception as error:
            self._error = error
        except asyncio.CancelledError:
            self._error = UpstreamUnavailable(reason="the call was given up", retry_after_seconds=1)
            raise
        finally:
            self._over = True
            self._progress.notify()
            await self._on_complete(self)

    async def _produce(self) -> None:
        answer = await self._open_answer()
        try:
            self.answer = answer
            self._progress.notify()
            await self._record(answer)
            self._complete = True
        finally:
            await asyncio.shield(answer.close())

    async def _record(self, answer: Answer) -> None:
        size = 0
        async for piece in answer.pieces():
            size += len(piece)
            if size > MAX_BYTES:
                raise UpstreamUnavailable(reason="its answer does not end", retry_after_seconds=1)
            self.recorded.append(piece)
            self._progress.notify()

    async def opened(self) -> Answer:
        """Return the answer once it is open; raises what kept it from opening.

        Raises ``CallerTimedOut`` when the subscriber's own time is nearly over, and the request has more.
        """

        def opened() -> bool:
            return self.answer is not None or self._over

        seconds = _seconds_to_wait()
        if not await self._progress.wait_for(opened, seconds) and self._outlasts_caller():
            raise CallerTimedOut(seconds=round(seconds or 0, 3))
        await self._progress.wait_for(opened)
        if self.answer is None:
            assert self._error is not None
            raise self._error
        return self.answer

    async def pieces(self) -> AsyncIterator[bytes]:
        """Yield what was recorded, then what follows; raises what ended the answer early."""
        at = 0
        while await self._is_recorded(at):
            # What is there already is sent at once: a send costs more than all else that is done with a chunk.
            pieces = self.recorded[at:]
            at += len(pieces)
            yield b"".join(pieces)
        if self._error is not None:
            raise self._error

    async def _is_recorded(self, at: int) -> bool:
        """Return True once piece ``at`` is recorded, False when the answer has ended before it.

        Raises ``CallerTimedOut`` when the subscriber's own time is nearly over, which others' may not be.
        """
        if at == len(self.recorded):
            seconds = _seconds_to_wait()
            if not await self._progress.wait_for(lambda: at < len(self.recorded) or self._over, seconds):
                raise CallerTimedOut(seconds=round(seconds or 0, 3))
        return at < len(self.recorded)

    def _outlasts_caller(self) -> bool:
        """Return whether the request goes on after the caller's time; one that does not tells what became of it."""
        left = remaining_seconds()
        if left is None or self._info is None or self._info.deadline is None:
            return left is not None
        return self._info.deadline - asyncio.get_running_loop().time() > left + _SAME_DEADLINE_SECONDS

    def leave(self) -> None:
        """Remove one subscriber."""
        self.subscribers -= 1
        if self.subscribers == 0 and not self._over:
            self._task.cancel()


class Subscriber:
    """One caller's part in an in-flight request; an ``Answer``."""

    degraded: list[str] | None = None
    cache: str | None = None
    adapted: tuple[str, ...] = ()

    def __init__(self, request: InFlightRequest, *, leads: bool) -> None:
        self._request = request
        self._subscribed = True
        self.leads = leads
        """True for the caller whose request is the one in flight."""
        request.subscribers += 1
        request.allow(remaining_seconds())

    async def open(self) -> None:
        """Return once the shared answer is open; raises what kept it from opening, or ``CallerTimedOut``."""
        answer = await self._request.opened()
        self.degraded, self.adapted = answer.degraded, answer.adapted
        self.cache = answer.cache or (None if self.leads else "shared")

    def pieces(self) -> AsyncIterator[bytes]:
        """Yield the shared answer from its beginning."""
        return self._request.pieces()

    async def close(self) -> None:
        """Leave the request; other subscribers keep it."""
        if self._subscribed:
            self._subscribed = False
            self._request.leave()


class SingleFlight:
    """The requests that are in flight at this replica, by key."""

    def __init__(self) -> None:
        self._by_key: dict[str, InFlightRequest] = {}

    def join(
        self,
        key: str,
        open_answer: Callable[[], Awaitable[Answer]],
        on_complete: Callable[[InFlightRequest], Awaitable[None]],
    ) -> Subscriber:
        """Subscribe to the request in flight under ``key``; when there is none, start one with the two functions."""
        request = self._by_key.get(key)
        if request is not None and request.joinable:
            return Subscriber(request, leads=False)

        async def complete(done: InFlightRequest) -> None:
            try:
                await on_complete(done)
            finally:
                if self._by_key.get(key) is done:
                    del self._by_key[key]

        request = self._by_key[key] = InFlightRequest(open_answer, complete)
        return Subscriber(request, leads=True)
