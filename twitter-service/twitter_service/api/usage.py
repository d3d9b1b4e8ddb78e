"""HTTP: what reading X has cost, and what may still be read."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Depends

from castor_chassis import Ok, Principal, ok, require
from twitter_service.api.resources import R, payer_of
from twitter_service.api.schemas.usage import AllowanceStanding, BudgetStanding, Usage
from twitter_service.billing.budget import Purpose

router = APIRouter(prefix="/v1/twitter/usage", tags=["x"])
CanRead = Annotated[Principal, Depends(require("tweets:read"))]


@router.get("")
async def get_usage(r: R, principal: CanRead, purpose: Purpose = "analysis") -> Ok[Usage]:
    """Return what reading X has cost the account, a purpose and the caller, and what may still be read."""
    budgets = await r.searches.usage(payer_of(principal, purpose))
    allowances = await r.searches.allowances()
    usage = Usage(
        x_configured=r.searches.is_configured,
        budgets=[BudgetStanding.of(budget) for budget in budgets],
        allowances=[AllowanceStanding.of(allowance) for allowance in allowances or []],
    )
    return ok(usage, **({"degraded": ["redis"]} if allowances is None else {}))
