"""Usage, budgets and the prompt log of the caller, in our envelope."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Depends, Query

from castor_chassis import SINCE, UNTIL, Forbidden, Ok, Page, Pattern, Since, Until, check_span, normal_time, ok, page
from openai_service.api.dependencies import PREFIX, note_payer
from openai_service.api.resources import Caller, R
from openai_service.api.schemas import BudgetReport, ErasedPrompts, UsageOfDay, budget_report
from openai_service.billing.payer import PLATFORM, current_payer

router = APIRouter(prefix=PREFIX, tags=["openai"], dependencies=[Depends(note_payer)])


ALL = "*"
Organisation = Annotated[
    str, Pattern(r"^(\*|[a-z0-9][a-z0-9-]{0,38}[a-z0-9])$", "must be the id of an organisation, or * for all")
]


async def usage_of(
    caller: Caller,
    org: Annotated[
        Organisation | None,
        Query(
            description="Organisation, * for all; by default one's own. Others need the scope organisations:admin.",
        ),
    ] = None,
) -> str | None:
    """Return the organisation whose usage is shown, None for all; raises ``Forbidden`` for another one's."""
    own = current_payer().org or PLATFORM
    if org is None or org == own:
        return own
    if "organisations:admin" not in caller.scopes:
        raise Forbidden(reason="The usage of other organisations is shown to administrators of the platform only")
    return None if org == ALL else org


UsageOf = Annotated[str | None, Depends(usage_of)]


@router.get("/usage")
async def report_usage(
    r: R,
    org: UsageOf,
    since: Annotated[Since | None, Query(description=f"{SINCE} By default 30 days before 'until'.")] = None,
    until: Annotated[Until | None, Query(description=f"{UNTIL} By default now.")] = None,
) -> Page[UsageOfDay]:
    """Return calls, tokens and cost of one's organisation per day (UTC), operation, provider and model."""
    check_span(since, until)
    report = await r.reports.usage(since, until, org)
    days = [UsageOfDay.model_validate(day, from_attributes=True) for day in report.days]
    return page(days, since=normal_time(report.since), until=normal_time(report.until), cost_usd=report.cost_usd)


@router.get("/budgets")
async def report_budgets(r: R, _: Caller) -> Ok[BudgetReport]:
    """Return the limits that the caller's calls count against this month (UTC), what is spent and what is held."""
    payer = current_payer()
    return ok(budget_report(payer, *await r.reports.budgets(payer)))


@router.delete("/prompts")
async def erase_prompts(r: R, _: Caller) -> Ok[ErasedPrompts]:
    """Erase the texts that the ledger keeps of the caller's requests up to now; asking twice erases nothing more."""
    tenant = current_payer().tenant
    return ok(ErasedPrompts(tenant=tenant, erased=await r.prompt_log.erase(tenant)))
