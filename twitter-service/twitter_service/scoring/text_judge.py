"""Has a batch of texts scored by sentiment-service and stores what it answers."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from itertools import groupby
from typing import Protocol

import structlog

from castor_chassis import PeerRejected
from twitter_service.clients.sentiment import LANGUAGES, Scores, SentimentClient
from twitter_service.metrics import UNSCORABLE
from twitter_service.scoring.backoff import MIN_WAIT_SECONDS, is_about_the_text
from twitter_service.scoring.request_context import continued_request
from twitter_service.scoring.score_repository import TweetScore, UnscoredTweet

WORKER = "worker:score_tweets"

log = structlog.get_logger("castor.twitter.scores")


class ScoreStore(Protocol):
    """Where the sentiment of texts is stored."""

    async def save(self, scores: Sequence[TweetScore], model: str) -> int:
        """Store what ``model`` answered, and return how many were new."""
        ...

    async def mark_unscorable(self, tweet: UnscoredTweet, reason: str) -> None:
        """Note that a text cannot be scored and why."""
        ...


class TextJudge:
    """``on_saved`` is called after each answer with how many scores were stored. Raises ``PeerError``."""

    def __init__(
        self, store: ScoreStore, sentiment: SentimentClient, *, default_lang: str, on_saved: Callable[[int], None]
    ) -> None:
        self._store = store
        self._sentiment = sentiment
        self._default_lang = default_lang
        self._on_saved = on_saved

    async def score(self, batch: Sequence[UnscoredTweet]) -> None:
        """Score tweets, those of one request and one language together."""

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
            await self._store.mark_unscorable(tweets[0], reason)
            UNSCORABLE.inc()
            log.warning("tweet_unscorable", tweet_id=tweets[0].id, reason=reason)
            return
        middle = len(tweets) // 2
        await self._score(tweets[:middle], lang)
        await self._score(tweets[middle:], lang)

    async def _save(self, tweets: Sequence[UnscoredTweet], answer: Scores) -> None:
        asked = {str(tweet.id): (tweet.id, tweet.version_id) for tweet in tweets}
        scores = [
            TweetScore(*asked[score.id], score.positive, score.neutral, score.negative, score.label)
            for score in answer.results
            if score.id in asked
        ]
        saved = await self._store.save(scores, answer.model.name) if scores else 0
        self._on_saved(saved)
        log.info("tweets_scored", tweets=saved)
        if len(scores) < len(tweets):
            log.warning("scores_missing", asked=len(tweets), answered=len(scores))
            await asyncio.sleep(MIN_WAIT_SECONDS)

    def _lang(self, tweet: UnscoredTweet) -> str:
        return tweet.lang if tweet.lang in LANGUAGES else self._default_lang
