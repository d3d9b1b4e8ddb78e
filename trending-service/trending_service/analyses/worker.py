"""Stores the analyses of trends in rag-service, again and again until each is there."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import asdict, dataclass
from zoneinfo import ZoneInfo

import structlog

from castor_chassis import every, normal_time
from trending_service.analyses.model import Analysis
from trending_service.analyses.report import analysis_of, document_id
from trending_service.analyses.repository import AnalysisRepository
from trending_service.clients.rag import RagClient
from trending_service.metrics import ANALYSES, ANALYSES_WAITING
from trending_service.tracking.model import Trend

SOURCE = "tendencias"
CLAIM_SECONDS = 60.0
"""Longer than the calls of one analysis for one organisation may take."""
AGAIN_SECONDS = 3600.0
"""How often the figures of a trend that goes on are told."""
IDLE_SECONDS = 5.0
log = structlog.get_logger("castor.trending.analyses")


@dataclass(frozen=True, slots=True)
class AnalysisWriter:
    """Runs on every replica; each takes trends that no other does. ``ready`` raises until the tables are there.

    While rag-service is away the trends wait in the database, and the worker raises and is started again.
    """

    analyses: AnalysisRepository
    rag: RagClient
    organisations: Sequence[str]
    zone: ZoneInfo
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
            outcome = await self._write(due.trend)
            await self.analyses.settle(due, AGAIN_SECONDS)
            ANALYSES.labels(outcome).inc()
            written += 1
        return written

    async def _write(self, trend: Trend) -> str:
        figures = await self.analyses.figures(trend.key, trend.started_at, trend.last_seen_at, self.zone)
        analysis = analysis_of(trend, figures, self.zone)
        if analysis is None:
            for organisation in self.organisations:
                await self.rag.erase(document_id(trend), organisation)
            return "withdrawn"
        return await self._store(analysis)

    async def _store(self, analysis: Analysis) -> str:
        document = {**asdict(analysis), "published_at": normal_time(analysis.published_at), "source": SOURCE}
        for organisation in self.organisations:
            if not await self.rag.store(document, organisation):
                log.error("analysis_refused", document=document["id"], organisation=organisation)
                return "refused"
        return "stored"
