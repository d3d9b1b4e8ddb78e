"""Has a batch of pairs of a tweet and an entity judged by sentiment-service and stores what it answers."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import Protocol

import structlog

from castor_chassis import PeerRejected
from twitter_service.clients.sentiment import LANGUAGES, MAX_TARGETS, SentimentClient, TargetScores
from twitter_service.matching.mentions import name_in
from twitter_service.metrics import TARGETED
from twitter_service.scoring.backoff import MIN_WAIT_SECONDS, is_about_the_text
from twitter_service.scoring.request_context import continued_request
from twitter_service.scoring.target_repository import PendingTarget, TargetSentiment

WORKER = "worker:judge_targets"
Named = tuple[PendingTarget, str]
"""A tweet with an entity, and the name by which the text names it."""

log = structlog.get_logger("castor.twitter.targets")


class TargetStore(Protocol):
    """Where sentiments towards entities are stored."""

    async def save(self, found: Sequence[TargetSentiment], model: str | None) -> int:
        """Store what ``model`` answered (None: it was not asked), and return how many were new."""
        ...


class TargetJudge:
    """Judges pairs; raises ``PeerError``."""

    def __init__(self, store: TargetStore, sentiment: SentimentClient, *, default_lang: str) -> None:
        self._store = store
        self._sentiment = sentiment
        self._default_lang = default_lang

    async def judge(self, batch: Sequence[PendingTarget]) -> None:
        """Judge the pairs whose text names the entity; note of the others that it does not."""
        names = [(pair, self._name(pair)) for pair in batch]
        unnamed = [TargetSentiment(pair) for pair, name in names if name is None]
        if unnamed:
            await self._store.save(unnamed, None)
            TARGETED.labels("unnamed").inc(len(unnamed))
        named = [(pair, name) for pair, name in names if name is not None]
        if named:
            with continued_request(WORKER, named[0][0].request_id, named[0][0].traceparent):
                await self._judge(named)

    def _name(self, pair: PendingTarget) -> str | None:
        lang = pair.lang if pair.lang in LANGUAGES else self._default_lang
        return name_in(pair.text, pair.terms) if lang in ("es", "auto") else None

    async def _judge(self, named: Sequence[Named]) -> None:
        items = _items(named)
        try:
            answer = await self._sentiment.towards(items)
        except PeerRejected as refused:
            if not is_about_the_text(refused):
                raise
            await self._isolate_refused(named, str(refused))
            return
        await self._save(named, answer)

    async def _isolate_refused(self, named: Sequence[Named], reason: str) -> None:
        if len(named) == 1:
            await self._store.save([TargetSentiment(named[0][0])], None)
            TARGETED.labels("refused").inc()
            log.warning("target_refused", tweet_id=named[0][0].tweet_id, entity=named[0][0].entity_id, reason=reason)
            return
        middle = len(named) // 2
        await self._judge(named[:middle])
        await self._judge(named[middle:])

    async def _save(self, named: Sequence[Named], answer: TargetScores) -> None:
        answers = {(item.id, one.target): one for item in answer.results for one in item.targets}
        found = []
        for pair, name in named:
            one = answers.get((str(pair.tweet_id), name))
            if one is None:
                continue
            is_named = one.label != "absent"
            shares = (one.positive, one.neutral, one.negative, one.basis) if is_named else ()
            found.append(TargetSentiment(pair, one.label if is_named else None, *shares))
            TARGETED.labels(one.basis or ("unjudged" if is_named else "absent")).inc()
        saved = await self._store.save(found, answer.judge) if found else 0
        log.info("targets_judged", pairs=saved)
        if not found:
            log.warning("targets_missing", asked=len(named))
            await asyncio.sleep(MIN_WAIT_SECONDS)


def _items(named: Sequence[Named]) -> list[tuple[str, str, list[str]]]:
    """Return what to ask; of a tweet with more names than may be asked at once, the others wait for the next call."""
    texts: dict[int, str] = {}
    names: dict[int, dict[str, None]] = {}
    for pair, name in named:
        texts[pair.tweet_id] = pair.text
        of_tweet = names.setdefault(pair.tweet_id, {})
        if len(of_tweet) < MAX_TARGETS:
            of_tweet[name] = None
    return [(str(key), texts[key], list(of_tweet)) for key, of_tweet in names.items()]
