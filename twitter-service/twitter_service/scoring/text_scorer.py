"""Scores texts with sentiment-service: a few batches at a time, oldest tweets first.

While sentiment-service is away the tweets wait in the store, so nothing is lost.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable

import structlog

from castor_chassis import PeerError, Wakeup
from twitter_service.clients.sentiment import SentimentClient
from twitter_service.metrics import SCORED
from twitter_service.scoring.backoff import wait_seconds
from twitter_service.scoring.run_all import run_all
from twitter_service.scoring.score_repository import ScoreRepository, UnscoredTweet
from twitter_service.scoring.text_judge import TextJudge

POLL_SECONDS = 1.0

log = structlog.get_logger("castor.twitter.scores")


class TextScorer:
    """The background work of one replica, to be run under a lease. ``on_scored`` is called after each batch."""

    def __init__(
        self,
        repository: ScoreRepository,
        sentiment: SentimentClient,
        wakeup: Wakeup,
        *,
        batch_size: int,
        in_flight: int,
        default_lang: str,
        on_scored: Callable[[], None],
    ) -> None:
        self._repository = repository
        self._wakeup = wakeup
        self._batch_size = batch_size
        self._in_flight = in_flight
        self._judge = TextJudge(repository, sentiment, default_lang=default_lang, on_saved=self._count)
        self._on_scored = on_scored
        self._claiming = asyncio.Lock()
        self._claimed: set[int] = set()

    async def run(self) -> None:
        """Run until cancelled; ``wakeup`` says that tweets were stored. Raises ``DatabaseUnavailable``."""
        try:
            await run_all(*(self._score_batches() for _ in range(self._in_flight)))
        finally:
            self._claimed.clear()

    async def _score_batches(self) -> None:
        while True:
            try:
                await self._score_next()
            except PeerError as error:
                # The tweets of this batch are claimed no more, so another batch takes them first: they are the oldest.
                wait = wait_seconds(error)
                log.warning("scores_wait", reason=str(error), seconds=round(wait, 1))
                await asyncio.sleep(wait)

    async def _score_next(self) -> None:
        batch = await self._claim()
        try:
            await self._judge.score(batch)
        finally:
            self._claimed.difference_update(tweet.id for tweet in batch)

    async def _claim(self) -> list[UnscoredTweet]:
        """Return the oldest tweets that no other batch of this process holds, waiting for some where there are none."""
        async with self._claiming:
            while not (batch := await self._repository.unscored(self._batch_size, list(self._claimed))):
                await self._wakeup.wait(POLL_SECONDS)
            self._claimed.update(tweet.id for tweet in batch)
            return batch

    def _count(self, saved: int) -> None:
        SCORED.inc(saved)
        self._on_scored()
