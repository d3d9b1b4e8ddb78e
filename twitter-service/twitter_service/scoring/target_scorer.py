"""Judges what tweets say for or against their entities: after the sentiment of the text, oldest tweets first."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Sequence
from itertools import takewhile

import structlog

from castor_chassis import PeerError, Wakeup
from twitter_service.clients.sentiment import SentimentClient
from twitter_service.metrics import TARGETS_PENDING
from twitter_service.scoring.backoff import wait_seconds
from twitter_service.scoring.target_judge import TargetJudge
from twitter_service.scoring.target_repository import PendingTarget, TargetRepository

POLL_SECONDS = 1.0
COUNT_SECONDS = 10.0

log = structlog.get_logger("castor.twitter.targets")


class TargetScorer:
    """The background work of one replica, to be run under the lease of the text scores."""

    def __init__(
        self,
        repository: TargetRepository,
        sentiment: SentimentClient,
        wakeup: Wakeup,
        *,
        batch_size: int,
        default_lang: str,
    ) -> None:
        self._repository = repository
        self._wakeup = wakeup
        self._batch_size = batch_size
        self._judge = TargetJudge(repository, sentiment, default_lang=default_lang)
        self._counts_at = 0.0

    async def run(self) -> None:
        """Run until cancelled; ``wakeup`` says that tweets were scored. Raises ``DatabaseUnavailable``."""
        while True:
            try:
                is_idle = not await self.step()
            except PeerError as error:
                wait = wait_seconds(error)
                log.warning("targets_wait", reason=str(error), seconds=round(wait, 1))
                await asyncio.sleep(wait)
                continue
            if is_idle:
                await self._wakeup.wait(POLL_SECONDS)

    async def step(self) -> int:
        """Settle the oldest pairs whose tweets have their sentiment, and return how many; raises ``PeerError``."""
        waiting = await self._repository.pending(self._batch_size)
        await self._count(waiting)
        # Younger ones wait for the oldest, whose sentiment is on its way.
        batch = list(takewhile(lambda pair: pair.has_sentiment, waiting))
        if not batch:
            return 0
        await self._judge.judge(batch)
        return len(batch)

    async def _count(self, waiting: Sequence[PendingTarget]) -> None:
        if len(waiting) < self._batch_size:
            TARGETS_PENDING.set(len(waiting))
        elif time.monotonic() > self._counts_at:
            TARGETS_PENDING.set(await self._repository.count_pending())
            self._counts_at = time.monotonic() + COUNT_SECONDS
