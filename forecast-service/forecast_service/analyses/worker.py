"""Stores the analyses of forecasts in rag-service, again and again until each is there."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Any

import structlog

from castor_chassis import every
from forecast_service.analyses.report import document_of
from forecast_service.analyses.repository import AnalysisRepository
from forecast_service.clients.rag import RagClient
from forecast_service.clients.twitter import TwitterClient
from forecast_service.metrics import ANALYSES, ANALYSES_WAITING

CLAIM_SECONDS = 60.0
"""Longer than the calls of one analysis for one organisation may take."""
IDLE_SECONDS = 5.0
log = structlog.get_logger("castor.forecast.analyses")


@dataclass(frozen=True, slots=True)
class AnalysisWriter:
    """Runs on every replica; each takes forecasts that no other does. ``ready`` raises until the tables are there.

    While rag-service is away the forecasts wait in the database, and the worker raises and is started again.
    """

    analyses: AnalysisRepository
    rag: RagClient
    twitter: TwitterClient
    organisations: Sequence[str]
    ready: Callable[[], Awaitable[None]]
    idle_seconds: float = IDLE_SECONDS

    async def run(self) -> None:
        """Write until cancelled; raises what rag-service or the database raise."""
        await self.ready()
        await every(self.idle_seconds, self.count, self.write_due)()

    async def count(self) -> None:
        """Note how many analyses wait."""
        ANALYSES_WAITING.set(await self.analyses.waiting())

    async def write_due(self) -> int:
        """Write the analyses that are due and return how many there were."""
        written, seconds = 0, CLAIM_SECONDS * max(1, len(self.organisations))
        while (due := await self.analyses.claim(seconds)) is not None:
            name, _ = await self.twitter.name_and_colour(due.entity)
            outcome = await self._store(document_of(due, name))
            await self.analyses.settle(due)
            ANALYSES.labels(outcome).inc()
            written += 1
        return written

    async def _store(self, document: dict[str, Any]) -> str:
        for organisation in self.organisations:
            if not await self.rag.store(document, organisation):
                log.error("analysis_refused", document=document["id"], organisation=organisation)
                return "refused"
        return "stored"
