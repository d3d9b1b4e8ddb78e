"""Composes the ledger, the budgets and the prompt log, and starts their background work."""

from __future__ import annotations

from dataclasses import dataclass

from castor_chassis import Chassis, every
from openai_service.billing.budget import Budget, Limits
from openai_service.billing.budget_repository import BudgetRepository
from openai_service.billing.ledger import Ledger
from openai_service.billing.ledger_writer import LedgerWriter
from openai_service.billing.prices import Prices
from openai_service.billing.repository import LedgerRepository
from openai_service.billing.retention import LedgerRetention
from openai_service.billing.token_margins import TokenMargins
from openai_service.billing.usage_reports import UsageReports
from openai_service.prompt_log.repository import PromptRepository
from openai_service.prompt_log.service import PromptLog
from openai_service.settings import OpenAISettings

_SWEEP_SECONDS = 3600.0


@dataclass(frozen=True)
class Billing:
    """What the other capabilities and the routes use of it."""

    ledger: Ledger
    reports: UsageReports
    prompt_log: PromptLog


def create_billing(chassis: Chassis[OpenAISettings]) -> Billing:
    """Return the objects; their workers run until the service stops, and then the ledger must be drained."""
    settings = chassis.settings
    ledger_repository = LedgerRepository(chassis.postgres)
    budget_repository = BudgetRepository(chassis.postgres)
    limits = Limits(settings.budgets)
    budget = Budget(
        budget_repository,
        limits,
        lease_seconds=settings.budget_lease_seconds,
        ahead_calls=settings.budget_ahead_calls,
        ahead_seconds=settings.budget_ahead_seconds,
    )
    writer = LedgerWriter(ledger_repository, capacity=settings.ledger_queue_rows)
    margins = TokenMargins({provider.name: provider.hidden_prompt_tokens for provider in settings.all_providers})
    prompt_log = PromptLog(
        PromptRepository(chassis.postgres),
        enabled=settings.ledger_prompts,
        characters=settings.ledger_prompt_characters,
        days=settings.ledger_prompt_days,
    )
    chassis.spawn("ledger", writer.run)
    # Also when no new prompts are kept.
    chassis.spawn("prompts", every(_SWEEP_SECONDS, prompt_log.delete_expired))
    retention = LedgerRetention(ledger_repository, days=settings.ledger_days)
    chassis.spawn("ledger_retention", every(_SWEEP_SECONDS, retention.delete_expired))
    chassis.spawn("budget", every(settings.budget_lease_seconds / 4, budget.release_expired))
    return Billing(
        Ledger(writer, Prices(settings.price_table), budget, margins),
        UsageReports(ledger_repository, budget_repository, limits),
        prompt_log,
    )
