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
            while await self.assess_some():
                pass
            await asyncio.sleep(self._poll_seconds)

    async def assess_some(self) -> int:
        """Assess the next authors that wait for it, and return how many there were."""
        waiting = await self._assessments.unassessed(BATCH_AUTHORS)
        now = datetime.now(UTC)
        # Of an author known by the handle alone there is nothing to say about the profile.
        assessed = [(author.id, assess(author, activity, now)) for author, activity in waiting]
        if assessed:
            await self._assessments.save(assessed)
        return len(assessed)
