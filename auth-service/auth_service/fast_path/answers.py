"""Routes whose answer may be in memory: answered by the HTTP protocol, before a task, an ASGI scope or a route exists.

A route that is asked thousands of times a second registers a function from the request body to the response body. It
returns None when the answer is not in memory, and the request is then handled by FastAPI as usual. So are requests
that are sampled for a trace, too large, not from a service, or that carry a header outside a short list
(docs/adr/0013).
"""

from __future__ import annotations

import random
import time
from collections.abc import Callable
from typing import Any

from castor_chassis.context import acceptable_request_id
from castor_chassis.metrics import REQUESTS
from castor_chassis.observability.logging import log_request
from castor_chassis.tls import PeerIdentity, is_service

Answer = Callable[[bytes], bytes | None]
"""From the body of a POST to the JSON of its 200 response; None: let FastAPI handle the request."""
MAX_BODY = 16_384
_HEAD = (
    b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\nx-content-type-options: nosniff\r\n"
    b"x-request-id: %b\r\ncontent-length: %d\r\n\r\n%b"
)
_PLAIN_HEADERS = frozenset(
    {
        *(b"host", b"content-type", b"content-length", b"accept", b"accept-encoding", b"user-agent", b"connection"),
        *(b"x-request-id", b"x-request-timeout-ms", b"traceparent", b"authorization"),
    }
)


class FastPath:
    """The registered answers by path, for callers with the certificate of a service."""

    def __init__(self, traced_share: float) -> None:
        self._traced_share = traced_share
        self._answers: dict[bytes, Answer] = {}
        self._seconds: dict[bytes, Any] = {}

    def add(self, path: str, answer: Answer) -> None:
        """Answer POST requests to ``path`` with what ``answer`` returns."""
        self._answers[path.encode()] = answer
        self._seconds[path.encode()] = REQUESTS.labels("POST", path, "200")

    def accepts(self, path: bytes, headers: list[tuple[bytes, bytes]], peer: PeerIdentity | None) -> bool:
        """Return whether a POST to ``path`` may be answered here once its body has arrived."""
        if path not in self._answers or peer is None or not is_service(peer.service) or peer.not_after < time.time():
            return False
        return all(name in _PLAIN_HEADERS for name, _ in headers) and random.random() >= self._traced_share

    def response(
        self, path: bytes, headers: list[tuple[bytes, bytes]], body: bytes, peer: PeerIdentity
    ) -> bytes | None:
        """Return the whole HTTP response, logged and counted; None: let FastAPI handle the request."""
        started = time.perf_counter()
        given = dict(headers)
        trace = given.get(b"traceparent", b"")
        if trace.endswith(b"1") or not given.get(b"content-type", b"").startswith(b"application/json"):
            return None
        content = self._answers[path](body)
        if content is None:
            return None
        sent_id = given.get(b"x-request-id")
        request_id = acceptable_request_id(None if sent_id is None else sent_id.decode("latin-1"))
        seconds = time.perf_counter() - started
        self._seconds[path].observe(seconds)
        log_request("POST", path.decode(), 200, seconds, peer.service, request_id, trace[3:35].decode("latin-1"))
        return _HEAD % (request_id.encode(), len(content), content)
