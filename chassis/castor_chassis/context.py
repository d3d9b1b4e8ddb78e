"""The current request: a context variable that every await and every started task inherits."""

from __future__ import annotations

import asyncio
import os
import re
from collections.abc import Callable
from contextvars import ContextVar
from dataclasses import dataclass, field
from typing import Protocol

from castor_chassis.tls import PeerIdentity

_ACCEPTABLE_ID = re.compile(r"[A-Za-z0-9._:-]{8,128}")


def new_id() -> str:
    """Return 128 random bits in hexadecimal."""
    return os.urandom(16).hex()


class Claim(Protocol):
    """What a request does that a repetition must not do again."""

    async def settle(self, status: int, cache_control: str | None, body: bytes) -> None:
        """Commit with the answer, or undo what was done where it is a failure."""

    async def release(self) -> None:
        """Undo what was done."""


@dataclass(slots=True)
class RequestInfo:
    """Id, deadline and caller of one request, or of one background task."""

    request_id: str = field(default_factory=new_id)
    deadline: float | None = None
    """``loop.time()`` at which the caller stops waiting; None for background work."""
    peer: PeerIdentity | None = None
    address: str | None = None
    """What a caller from outside counts as in limits: its IPv4 address or IPv6 /64; None for our services."""
    principal: str | None = None
    user_token: str | None = None
    """The user's own token, exchanged where this service calls another on the user's behalf; it never leaves."""
    rate_limit: dict[str, str] = field(default_factory=dict)
    """Headers that say how much of its limit the caller has left."""
    claim: Claim | None = None
    """Of a request with an ``Idempotency-Key``: how its answer is kept, or what it did is undone."""
    give_back: Callable[[], None] | None = None
    """Gives back the place that the caller took of its own."""


_current: ContextVar[RequestInfo | None] = ContextVar("castor_request", default=None)


def current_request() -> RequestInfo | None:
    """Return the current request, or None outside of one."""
    return _current.get()


def set_request(info: RequestInfo | None) -> None:
    """Make ``info`` the current request of this task and of those it starts."""
    _current.set(info)


def acceptable_request_id(given: str | None) -> str:
    """Return the caller's request id if it is safe to log, else a new one."""
    if given is not None and _ACCEPTABLE_ID.fullmatch(given):
        return given
    return new_id()


def remaining_seconds() -> float | None:
    """Return the seconds until the deadline (may be negative), or None without one."""
    info = _current.get()
    if info is None or info.deadline is None:
        return None
    return info.deadline - asyncio.get_running_loop().time()
