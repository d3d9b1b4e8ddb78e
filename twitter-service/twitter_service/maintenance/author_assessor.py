"""Assesses the credibility of authors in the background."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime

from twitter_service.maintenance.assessment_repository import AssessmentRepository
from twitter_service.maintenance.credibility import assess
from twitter_service.maintenance.import_pause import ImportPause

BATCH_AUTHORS = 200


class AuthorAssessor:
    """The background work of one replica, to be run under a lease; imports of its own process go first."""

    def __init__(self, assessments: AssessmentRepository, pause: ImportPause, *, poll_seconds: float) -> None:
        self._assessments = assessments
        self._pause = pause
        self._poll_seconds = poll_seconds

    async def run(self) -> None:
        """Run until cancelled; raises ``DatabaseUnavailable``."""
        while True:
            self._pause.restart()
            await self._pause.wait()
            await self.assess_all()
            await asyncio.sleep(self._poll_seconds)

    async def assess_all(self) -> None:
        """Assess every author that waits for it once; one about whom more is stored meanwhile waits on."""
        last: str | None = ""
        while last is not None:
            last = await self._assess_some(last)

    async def _assess_some(self, after: str) -> str | None:
        """Assess the next authors, and return the key of the last one; None where there was none."""
        waiting = await self._assessments.unassessed(after, BATCH_AUTHORS)
        if not waiting:
            return None
        now = datetime.now(UTC)
        # Of an author known by the handle alone there is nothing to say about the profile.
        await self._assessments.save([(of, assess(of.author, of.activity, now)) for of in waiting])
        return waiting[-1].author.id
