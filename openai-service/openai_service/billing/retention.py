"""How long the ledger keeps calls, and what was spent of budgets."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import structlog

from openai_service.billing.repository import LedgerRepository

BATCH = 5_000
log = structlog.get_logger("castor.openai.ledger")


class LedgerRetention:
    """Deletes what is older than ``days``; run on any replica."""

    def __init__(self, repository: LedgerRepository, *, days: int) -> None:
        self._repository = repository
        self._max_age = timedelta(days=days)

    async def delete_expired(self) -> int:
        """Delete calls that are too old now, a batch at a time, and whole months of budgets; return how many calls."""
        before, total = datetime.now(UTC) - self._max_age, 0
        while deleted := await self._repository.delete_calls_before(before, BATCH):
            total += deleted
        await self._repository.delete_accounts_before(before.date().replace(day=1))
        if total:
            log.info("calls_expired", calls=total, older_than_days=self._max_age.days)
        return total
