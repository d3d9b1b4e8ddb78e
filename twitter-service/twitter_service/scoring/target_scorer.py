"""Judges what tweets say for or against their entities: after the sentiment of the text, oldest tweets first."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Sequence
from itertools import takewhile

import structlog

from castor_chassis import PeerError, PeerRejected, Wakeup
from twitter_service.clients.sentiment import LANGUAGES, MAX_TARGETS, SentimentClient, TargetScores
from twitter_service.matching.mentions import name_in
from twitter_service.metrics import TARGETED, TARGETS_PENDING
from twitter_service.scoring.backoff import MIN_WAIT_SECONDS, is_about_the_text, wait_seconds
from twitter_service.scoring.request_context import continued_request
from twitter_service.scoring.target_repository import PendingTarget, TargetRepository, TargetSentiment

POLL_SECONDS = 1.0
COUNT_SECONDS = 10.0
WORKER = "worker:judge_targets"
Named = tuple[PendingTarget, str]
"""A tweet with an entity, and the name by which the text names it."""

log = structlog.get_logger("twitter.targets")


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
        self._sentiment = sentiment
        self._wakeup = wakeup
        self._batch_size = batch_size
        self._default_lang = default_lang
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
        names = [(pair, self._name(pair)) for pair in batch]
        unnamed = [TargetSentiment(pair) for pair, name in names if name is None]
        if unnamed:
            await self._repository.save(unnamed, None)
            TARGETED.labels("unnamed").inc(len(unnamed))
        named = [(pair, name) for pair, name in names if name is not None]
        if named:
            with continued_request(WORKER, named[0][0].request_id, named[0][0].traceparent):
                await self._judge(named)
        return len(batch)

    async def _count(self, waiting: Sequence[PendingTarget]) -> None:
        if len(waiting) < self._batch_size:
            TARGETS_PENDING.set(len(waiting))
        elif time.monotonic() > self._counts_at:
            TARGETS_PENDING.set(await self._repository.count_pending())
            self._counts_at = time.monotonic() + COUNT_SECONDS

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
            await self._repository.save([TargetSentiment(named[0][0])], None)
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
        model = f"{answer.model.id}@{answer.model.version}+rules{answer.rules}"
        saved = await self._repository.save(found, model) if found else 0
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
