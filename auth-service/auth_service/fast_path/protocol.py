"""The HTTP protocol of auth-service: the chassis's, which asks a ``FastPath`` before it starts an ASGI task."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from functools import partial
from typing import Any

from auth_service.fast_path.answers import MAX_BODY, FastPath
from castor_chassis import Chassis, Health
from castor_chassis.service.server import PeerAwareProtocol


def fast_path_protocol(fast_path: FastPath, chassis: Chassis) -> Callable[..., asyncio.Protocol]:
    """Return the protocol factory of a service; bind ``fast_path`` and pass it to ``create_service``."""
    return partial(FastPathProtocol, fast_path, chassis.health, chassis.settings.connection_max_age_seconds)


class FastPathProtocol(PeerAwareProtocol):
    """Holds a request back until its body is complete when it may be answered from memory."""

    def __init__(
        self, fast_path: FastPath, health: Health, max_age_seconds: float, *given: Any, **options: Any
    ) -> None:
        super().__init__(*given, **options)
        self._fast_path = fast_path
        self._health = health
        self._max_age = max_age_seconds
        self._body: bytes | None = None
        """Body so far of a request that is held back; None while no request is."""

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Note when the connection began."""
        super().connection_made(transport)
        self._since = time.monotonic()

    def on_headers_complete(self) -> None:
        """Hold the request back if it may be answered from memory, else start it."""
        if self._is_eligible():
            self._body = b""
        else:
            super().on_headers_complete()

    def _is_eligible(self) -> bool:
        idle = self.cycle is None or self.cycle.response_complete
        parser = self.parser
        return (
            self._fast_path.accepts(self.url, self.headers, self.peer)
            and idle
            and parser.get_method() == b"POST"
            and parser.get_http_version() == "1.1"
            and parser.should_keep_alive()
            and not self.flow.write_paused
            and not self._health.draining
            and time.monotonic() - self._since < self._max_age
        )

    def on_body(self, body: bytes) -> None:
        """Collect the body of a request that is held back; start the request when the body is too large."""
        if self._body is None:
            super().on_body(body)
            return
        self._body += body
        if len(self._body) > MAX_BODY:
            self._start_held_request()

    def on_message_complete(self) -> None:
        """Answer the request that is held back, or start it."""
        if self._body is not None:
            assert self.peer is not None
            response = self._fast_path.response(self.url, self.headers, self._body, self.peer)
            if response is not None:
                self._body = None
                self.transport.write(response)
                self.on_response_complete()
                return
            self._start_held_request()
        super().on_message_complete()

    def _start_held_request(self) -> None:
        body, self._body = self._body, None
        super().on_headers_complete()
        super().on_body(body or b"")
