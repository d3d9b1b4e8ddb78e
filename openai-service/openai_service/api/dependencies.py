"""What all routers share: the prefix, the errors of calls, and the user who pays."""

from __future__ import annotations

from typing import Any

from fastapi import Request

from castor_chassis import Chassis, Claims, RequestInfo, ServiceError, current_request
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
    set_payer(caller, await _user_of(request))


async def _user_of(request: Request) -> Claims | None:
    """Return whom a service calls for.

    A token that does not verify, or was not exchanged for this service, is ignored: the service itself pays then.
    """
    scheme, _, token = request.headers.get("x-user-authorization", "").partition(" ")
    if scheme.lower() != "bearer":
        return None
    chassis: Chassis[Any] = request.app.state.chassis
    try:
        return await chassis.authenticator.user_of(token.strip(), current_request() or RequestInfo())
    except ServiceError:
        return None
