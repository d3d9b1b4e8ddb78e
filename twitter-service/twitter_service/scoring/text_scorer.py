"""Fills in sentiments: a few batches in flight, oldest tweets first, nothing lost while sentiment-service is away."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine, Iterator, Sequence
from contextlib import contextmanager, suppress
from itertools import groupby
from typing import Any

import structlog
from opentelemetry import context, propagate

from castor_chassis import PeerError, PeerRejected, RequestInfo, set_request
from twitter_service.clients.sentiment import LANGUAGES, Scores, SentimentClient
from twitter_service.metrics import SCORED, UNSCORABLE
from twitter_service.tweets.repository import Scored, TweetStore, Unscored

WORKER = "worker:score_tweets"
LEAST_WAIT_SECONDS, MOST_WAIT_SECONDS = 0.5, 5.0
REFUSALS_OF_A_TEXT = frozenset({400, 413, 422})
"""What sentiment-service answers when it does not like a text; other refusals are about us, not the text."""

log = structlog.get_logger("twitter.scores")


class ScoreFiller:
    """The background work of one replica, to be run under a lease."""

    def __init__(
        self,
        store: TweetStore,
        sentiment: SentimentClient,
        *,
        batch_size: int,
        in_flight: int,
        default_lang: str,
        on_news: Callable[[], None],
    ) -> None:
        self._store = store
        self._sentiment = sentiment
        self._batch_size = batch_size
        self._in_flight = in_flight
        self._default_lang = default_lang
        self._on_news = on_news
        self._asked = asyncio.Event()
        self._claiming = asyncio.Lock()
        self._claimed: set[int] = set()

    def ask(self) -> None:
        """Say that tweets were stored."""
        self._asked.set()

    async def run(self) -> None:
        """Work for ever; raises ``DatabaseUnavailable`` when the store is away."""
        try:
            await together(*(self._lane() for _ in range(self._in_flight)))
        finally:
            self._claimed.clear()

    async def _lane(self) -> None:
        while True:
            try:
                await self._score_next()
            except PeerError as error:
                # What it failed for is claimed no more: a lane that gets through meanwhile keeps to the order of age.
                wait = min(MOST_WAIT_SECONDS, max(LEAST_WAIT_SECONDS, error.retry_after_seconds or 1.0))
                log.warning("scores_wait", reason=str(error), seconds=round(wait, 1))
                await asyncio.sleep(wait)

    async def _score_next(self) -> None:
        batch = await self._claim()
        try:
            await self._score_all(batch)
        finally:
            self._claimed.difference_update(tweet.id for tweet in batch)

    async def _claim(self) -> list[Unscored]:
        async with self._claiming:
            while not (batch := await self._store.unscored(self._batch_size, list(self._claimed))):
                self._asked.clear()
                with suppress(TimeoutError):
                    async with asyncio.timeout(1.0):
                        await self._asked.wait()
            self._claimed.update(tweet.id for tweet in batch)
            return batch

    async def _score_all(self, batch: Sequence[Unscored]) -> None:
        def origin_and_lang(tweet: Unscored) -> tuple[str, str, str]:
            return tweet.request_id or "", tweet.traceparent or "", self._lang(tweet)

        for (request_id, traceparent, lang), group in groupby(sorted(batch, key=origin_and_lang), origin_and_lang):
            with continuing(WORKER, request_id, traceparent):
                await self._score(list(group), lang)

    async def _score(self, tweets: Sequence[Unscored], lang: str) -> None:
        try:
            answer = await self._sentiment.score([(str(tweet.id), tweet.text) for tweet in tweets], lang)
        except PeerRejected as refused:
            if refused.peer_status not in REFUSALS_OF_A_TEXT:
                raise
            await self._find_the_refused(tweets, lang, str(refused))
            return
        await self._save(tweets, answer)

    async def _find_the_refused(self, tweets: Sequence[Unscored], lang: str, reason: str) -> None:
        if len(tweets) == 1:
            await self._store.mark_unscorable(tweets[0].id, reason)
            UNSCORABLE.inc()
            log.warning("tweet_unscorable", tweet_id=tweets[0].id, reason=reason)
            return
        middle = len(tweets) // 2
        await self._score(tweets[:middle], lang)
        await self._score(tweets[middle:], lang)

    async def _save(self, tweets: Sequence[Unscored], answer: Scores) -> None:
        asked = {str(tweet.id): tweet.id for tweet in tweets}
        scores = [
            Scored(asked[score.id], score.positive, score.neutral, score.negative, score.label)
            for score in answer.results
            if score.id in asked
        ]
        saved = await self._store.save_scores(scores, f"{answer.model.id}@{answer.model.version}") if scores else 0
        SCORED.inc(saved)
        self._on_news()
        log.info("tweets_scored", tweets=saved)
        if len(scores) < len(tweets):
            log.warning("scores_missing", asked=len(tweets), answered=len(scores))
            await asyncio.sleep(LEAST_WAIT_SECONDS)

    def _lang(self, tweet: Unscored) -> str:
        return tweet.lang if tweet.lang in LANGUAGES else self._default_lang


async def together(*works: Coroutine[Any, Any, None]) -> None:
    """Do all of these until one fails; then the others are cancelled, and its error is raised."""
    tasks = [asyncio.ensure_future(work) for work in works]
    try:
        await asyncio.gather(*tasks)
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


@contextmanager
def continuing(worker: str, request_id: str, traceparent: str) -> Iterator[None]:
    """Go on under the request and the trace that brought the tweets, so that logs lead from one to the other."""
    set_request(RequestInfo(request_id=request_id, principal=worker) if request_id else RequestInfo(principal=worker))
    token = context.attach(propagate.extract({"traceparent": traceparent} if traceparent else {}))
    try:
        yield
    finally:
        context.detach(token)
        set_request(RequestInfo(principal=worker))
