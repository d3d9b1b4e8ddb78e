"""Wire models of usage, budgets and the prompt log, in our envelope; the OpenAI shapes are in ``protocol``."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, date, datetime, time
from typing import Literal

from pydantic import Field

from castor_chassis import ResponseModel, Timestamp
from openai_service.billing.money import next_month, usd
from openai_service.billing.payer import Payer
from openai_service.billing.usage_reports import AccountStatus


class BudgetOfAccount(ResponseModel):
    """One monthly limit and how far it is used."""

    account: str = Field(description="'total', 'org:<id>', 'tenant:<principal>' or 'service:<name>'.")
    limit_usd: float
    spent_usd: float
    held_usd: float = Field(description="The most that calls in flight may still cost.")
    left_usd: float = Field(description="What the next call may cost at most.")


class BudgetReport(ResponseModel):
    """The limits that the caller's calls count against; none: nothing limits them."""

    month: date = Field(description="First day of the month (UTC).")
    resets_at: Timestamp
    tenant: str
    service: str
    org: str | None = Field(description="Organisation of the caller; null for what services do by themselves.")
    accounts: list[BudgetOfAccount]


class ErasedPrompts(ResponseModel):
    """What was erased."""

    tenant: str = Field(description="Whose calls: the caller, or the user on whose behalf a service calls.")
    erased: int = Field(description="How many stored prompts; 0 when none was kept.")


class UsageOfDay(ResponseModel):
    """What one model was used for on one day (UTC)."""

    date: date
    operation: Literal["chat", "embeddings"]
    provider: str
    model: str
    calls: int
    failed: int
    degraded: int
    prompt_tokens: int
    completion_tokens: int
    cost_usd: float
    unpriced_calls: int = Field(description="Calls whose cost is unknown and not in cost_usd.")
    mean_latency_ms: float


def budget_report(payer: Payer, month: date, accounts: Sequence[AccountStatus]) -> BudgetReport:
    """Return the wire form of the payer's accounts in ``month``."""
    return BudgetReport(
        month=month,
        resets_at=datetime.combine(next_month(month), time(), UTC),
        tenant=payer.tenant,
        service=payer.service,
        org=payer.org,
        accounts=[_account(account) for account in accounts],
    )


def _account(status: AccountStatus) -> BudgetOfAccount:
    return BudgetOfAccount(
        account=status.account,
        limit_usd=usd(status.limit_nano),
        spent_usd=usd(status.spent_nano),
        held_usd=usd(status.held_nano),
        left_usd=usd(status.left_nano),
    )
