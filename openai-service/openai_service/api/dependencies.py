"""What all routers share: the prefix, the errors of calls, and the user who pays."""

from __future__ import annotations

from typing import Any

from fastapi import Request

from castor_chassis import Chassis, RequestInfo, ServiceError, current_request
from openai_service.billing.payer import set_user
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


async def note_user(request: Request) -> None:
    """Bill the call to the user whose exchanged token comes in ``X-User-Authorization`` beside a service's own.

    A token that does not verify, or was not exchanged for this service, is ignored: the service itself pays then.
    """
    set_user(None)
    scheme, _, token = request.headers.get("x-user-authorization", "").partition(" ")
    if scheme.lower() != "bearer":
        return
    chassis: Chassis[Any] = request.app.state.chassis
    try:
        set_user(await chassis.authenticator.user_of(token.strip(), current_request() or RequestInfo()))
    except ServiceError:
        return
