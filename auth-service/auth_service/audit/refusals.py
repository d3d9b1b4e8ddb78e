"""Sums up refusals of callers that are not our services: one audit event for many, however many they send."""

from __future__ import annotations

import asyncio
from collections import Counter
from dataclasses import dataclass, field

from auth_service.audit.recorder import Audit
from castor_chassis.storage.postgres import Database


@dataclass
class Refusals:
    """Counts refusals by caller and reason, and records the sums."""

    audit: Audit
    _counts: Counter[tuple[str, str]] = field(default_factory=Counter)

    def add(self, caller: str, reason: str) -> None:
        """Count a refusal; both texts are of a closed set, not chosen by the caller."""
        self._counts[caller, reason] += 1

    async def record(self, db: Database) -> None:
        """Append an event ``service_token_refused`` per caller with the numbers since the last time."""
        counts, self._counts = self._counts, Counter()
        for caller in sorted({caller for caller, _ in counts}):
            reasons = {reason: number for (of, reason), number in counts.items() if of == caller}
            details = {"count": sum(reasons.values()), "reasons": reasons}
            await self.audit.record_if_possible(db, "service_token_refused", subject=caller, **details)

    async def run(self, db: Database, every_seconds: float) -> None:
        """Record the sums regularly, until cancelled."""
        while True:
            await asyncio.sleep(every_seconds)
            await self.record(db)
