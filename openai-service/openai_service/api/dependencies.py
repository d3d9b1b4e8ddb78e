"""What all routers share: the prefix, the errors of calls, and the user who pays."""

from __future__ import annotations

from typing import Any

from fastapi import Request

from castor_chassis import Chassis, Claims, RequestInfo, Unauthenticated, current_request
from openai_service.api.resources import Caller
from openai_service.billing.payer import set_payer
from openai_service.errors import (
    BudgetHeld,
    BudgetSpent,
    NoUpstream,
    PriceUnknown,
    UpstreamRefused,
    UpstreamTimeout,
    UpstreamUnavailable,
    WrongModel,
)

PREFIX = "/v1/openai"
UPSTREAM_ERRORS = (NoUpstream, UpstreamUnavailable, UpstreamTimeout, UpstreamRefused, WrongModel)
BUDGET_ERRORS = (BudgetSpent, BudgetHeld, PriceUnknown)


async def note_payer(request: Request, caller: Caller) -> None:
    """Bill the call to the caller, or to the user whose exchanged token a service sends in ``X-User-Authorization``."""
    set_payer(caller, await _user_of(request) if caller.kind == "service" else None)


async def _user_of(request: Request) -> Claims | None:
    """Return whom a service calls for; None where it calls for itself.

    Raises ``Unauthenticated`` for a token that does not verify, or was not exchanged for this service: a user who
    is not known must not spend the service's money instead.
    """
    given = request.headers.get("x-user-authorization")
    if given is None:
        return None
    scheme, _, token = given.partition(" ")
    if scheme.lower() != "bearer":
        raise Unauthenticated(reason="X-User-Authorization must be Bearer and the token that was exchanged")
    chassis: Chassis[Any] = request.app.state.chassis
    return await chassis.authenticator.user_of(token.strip(), current_request() or RequestInfo())
