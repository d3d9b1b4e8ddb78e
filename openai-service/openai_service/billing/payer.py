"""On whose accounts the request in hand goes."""

from __future__ import annotations

from contextvars import ContextVar

from fastapi import Request

from castor_chassis import Chassis, ServiceError, current_request
from openai_service.billing.budget import Payer

_user: ContextVar[str | None] = ContextVar("castor_openai_user", default=None)
NOBODY = Payer("none", "none")


async def note_user(request: Request) -> None:
    """Note the user on whose behalf a service calls: its own token comes beside the service's, and is verified too.

    A token that does not hold is left unnoticed: the service itself pays then.
    """
    _user.set(None)
    scheme, _, token = request.headers.get("x-user-authorization", "").partition(" ")
    if scheme.lower() != "bearer":
        return
    chassis: Chassis = request.app.state.chassis
    info = current_request()
    try:
        claims = await chassis.gatekeeper.tokens.verify(token.strip(), info.peer if info else None)
    except ServiceError:
        return
    if claims.use == "user":
        _user.set(f"user:{claims.subject}")


def current_payer() -> Payer:
    """Return who pays: the user, also where a service calls for them, and the service that called."""
    info = current_request()
    if info is None or info.principal is None:
        return NOBODY
    kind, _, subject = info.principal.partition(":")
    service = (info.peer.service if info.peer is not None else None) or "none"
    if kind == "service":
        return Payer(_user.get() or f"service:{subject}", subject)
    # A key is its owner's: who has three keys has one budget.
    return Payer(f"user:{subject}", service)
