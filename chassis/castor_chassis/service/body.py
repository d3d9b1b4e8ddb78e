"""The body of a request: bounded in size, and in the time that its sender may take."""

from __future__ import annotations

import asyncio
import time
from collections import deque

from starlette.exceptions import HTTPException
from starlette.types import Message, Receive, Scope

from castor_chassis.settings import ServiceSettings
from castor_chassis.wire.errors import BodyTooSlow

_BEGINNING_BYTES = 65_536


class RequestBody:
    """Passes on a body whose sender keeps to ``body_min_bytes_per_second`` after ``body_grace_seconds``.

    Only time spent waiting for the sender counts, so a service that reads slowly refuses nobody.
    """

    __slots__ = ("_app_receive", "_has_body", "_held", "_scope", "_settings", "_size", "_waited")

    def __init__(self, scope: Scope, receive: Receive, settings: ServiceSettings, *, has_body: bool) -> None:
        self._scope = scope
        self._app_receive = receive
        self._settings = settings
        self._has_body = has_body
        self._held: deque[Message] = deque()
        self._size = 0
        self._waited = 0.0

    async def begin(self) -> None:
        """Wait for the body, or for the first 64 KiB of a longer one; raises ``BodyTooSlow``."""
        while self._has_body and self._size < _BEGINNING_BYTES:
            try:
                self._held.append(await self._next())
            except TimeoutError as error:
                raise BodyTooSlow from error

    async def receive(self) -> Message:
        """Return the next piece; raises ``HTTPException`` 413 when there is too much, 408 when it comes too slowly."""
        try:
            message = self._held.popleft() if self._held else await self._next()
        except TimeoutError as error:
            # FastAPI turns anything but an HTTPException raised here into a 400.
            raise HTTPException(408) from error
        limit = self._scope.get("castor_max_body_bytes", self._settings.max_body_bytes)
        if self._size > limit:
            raise HTTPException(413)
        return message

    async def _next(self) -> Message:
        """Return what the server has next, within the time that the sender has left while there is more to come."""
        if not self._has_body:
            return await self._app_receive()
        allowed = self._settings.body_grace_seconds + self._size / self._settings.body_min_bytes_per_second
        began = time.monotonic()
        async with asyncio.timeout(max(0.0, allowed - self._waited)):
            message = await self._app_receive()
        self._waited += time.monotonic() - began
        self._size += len(message.get("body", b""))
        self._has_body = message["type"] == "http.request" and message.get("more_body", False)
        return message
