"""Scores texts with sentiment-service: a few batches at a time, oldest tweets first.

While sentiment-service is away the tweets wait in the store, so nothing is lost.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from itertools import groupby

import structlog

from castor_chassis import PeerError, PeerRejected, Wakeup
from twitter_service.clients.sentiment import LANGUAGES, Scores, SentimentClient
from twitter_service.metrics import SCORED, UNSCORABLE
from twitter_service.scoring.backoff import MIN_WAIT_SECONDS, is_about_the_text, wait_seconds
from twitter_service.scoring.request_context import continued_request
from twitter_service.scoring.run_all import run_all
from twitter_service.scoring.score_repository import ScoreRepository, TweetScore, UnscoredTweet

WORKER = "worker:score_tweets"
POLL_SECONDS = 1.0

log = structlog.get_logger("twitter.scores")


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
        self._sentiment = sentiment
        self._wakeup = wakeup
        self._batch_size = batch_size
        self._in_flight = in_flight
        self._default_lang = default_lang
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
            await self._score_all(batch)
        finally:
            self._claimed.difference_update(tweet.id for tweet in batch)

    async def _claim(self) -> list[UnscoredTweet]:
        """Return the oldest tweets that no other batch of this process holds, waiting for some where there are none."""
        async with self._claiming:
            while not (batch := await self._repository.unscored(self._batch_size, list(self._claimed))):
                await self._wakeup.wait(POLL_SECONDS)
            self._claimed.update(tweet.id for tweet in batch)
            return batch

    async def _score_all(self, batch: Sequence[UnscoredTweet]) -> None:
        def origin_and_lang(tweet: UnscoredTweet) -> tuple[str, str, str]:
            return tweet.request_id or "", tweet.traceparent or "", self._lang(tweet)

        for (request_id, traceparent, lang), group in groupby(sorted(batch, key=origin_and_lang), origin_and_lang):
            with continued_request(WORKER, request_id, traceparent):
                await self._score(list(group), lang)

    async def _score(self, tweets: Sequence[UnscoredTweet], lang: str) -> None:
        try:
            answer = await self._sentiment.score([(str(tweet.id), tweet.text) for tweet in tweets], lang)
        except PeerRejected as refused:
            if not is_about_the_text(refused):
                raise
            await self._isolate_refused(tweets, lang, str(refused))
            return
        await self._save(tweets, answer)

    async def _isolate_refused(self, tweets: Sequence[UnscoredTweet], lang: str, reason: str) -> None:
        """Halve the batch until the text that is refused stands alone; the others are scored."""
        if len(tweets) == 1:
            await self._repository.mark_unscorable(tweets[0].id, reason)
            UNSCORABLE.inc()
            log.warning("tweet_unscorable", tweet_id=tweets[0].id, reason=reason)
            return
        middle = len(tweets) // 2
        await self._score(tweets[:middle], lang)
        await self._score(tweets[middle:], lang)

    async def _save(self, tweets: Sequence[UnscoredTweet], answer: Scores) -> None:
        asked = {str(tweet.id): tweet.id for tweet in tweets}
        scores = [
            TweetScore(asked[score.id], score.positive, score.neutral, score.negative, score.label)
            for score in answer.results
            if score.id in asked
        ]
        saved = await self._repository.save(scores, f"{answer.model.id}@{answer.model.version}") if scores else 0
        SCORED.inc(saved)
        self._on_scored()
        log.info("tweets_scored", tweets=saved)
        if len(scores) < len(tweets):
            log.warning("scores_missing", asked=len(tweets), answered=len(scores))
            await asyncio.sleep(MIN_WAIT_SECONDS)

    def _lang(self, tweet: UnscoredTweet) -> str:
        return tweet.lang if tweet.lang in LANGUAGES else self._default_lang
