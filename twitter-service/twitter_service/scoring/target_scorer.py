"""Fills in what tweets say for or against their entities: after the sentiment of the text, oldest tweets first."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Sequence
from contextlib import suppress
from itertools import takewhile

import structlog

from castor_chassis import PeerError, PeerRejected
from twitter_service.clients.sentiment import LANGUAGES, MOST_TARGETS, SentimentClient, TargetScores
from twitter_service.matching.mentions import name_in
from twitter_service.metrics import TARGETED, TARGETS_PENDING
from twitter_service.scoring.target_repository import TargetStore, Towards, Waiting
from twitter_service.scoring.text_scorer import LEAST_WAIT_SECONDS, MOST_WAIT_SECONDS, REFUSALS_OF_A_TEXT, continuing

POLL_SECONDS = 1.0
COUNT_SECONDS = 10.0
_WORKER = "worker:judge_targets"
Named = tuple[Waiting, str]
"""A tweet with an entity, and the name by which the text names it."""

log = structlog.get_logger("twitter.targets")


class TargetFiller:
    """The background work of one replica, to be run under the lease of the scores."""

    def __init__(self, store: TargetStore, sentiment: SentimentClient, *, batch_size: int, default_lang: str) -> None:
        self._store = store
        self._sentiment = sentiment
        self._batch_size = batch_size
        self._default_lang = default_lang
        self._asked = asyncio.Event()
        self._counts_at = 0.0

    def ask(self) -> None:
        """Say that tweets were scored."""
        self._asked.set()

    async def run(self) -> None:
        """Work for ever; raises ``DatabaseUnavailable`` when the store is away."""
        while True:
            try:
                is_idle = not await self.step()
            except PeerError as error:
                wait = min(MOST_WAIT_SECONDS, max(LEAST_WAIT_SECONDS, error.retry_after_seconds or 1.0))
                log.warning("targets_wait", reason=str(error), seconds=round(wait, 1))
                await asyncio.sleep(wait)
                continue
            if is_idle:
                self._asked.clear()
                with suppress(TimeoutError):
                    async with asyncio.timeout(POLL_SECONDS):
                        await self._asked.wait()

    async def step(self) -> int:
        """Settle the oldest pairs whose tweets have their sentiment, and return how many; raises ``PeerError``."""
        waiting = await self._store.waiting(self._batch_size)
        await self._count(waiting)
        # Younger ones wait for the oldest, whose sentiment is on its way.
        batch = list(takewhile(lambda pair: pair.has_sentiment, waiting))
        if not batch:
            return 0
        names = [(pair, self._name(pair)) for pair in batch]
        unnamed = [Towards(pair) for pair, name in names if name is None]
        if unnamed:
            await self._store.save(unnamed, None)
            TARGETED.labels("unnamed").inc(len(unnamed))
        named = [(pair, name) for pair, name in names if name is not None]
        if named:
            with continuing(_WORKER, named[0][0].request_id or "", named[0][0].traceparent or ""):
                await self._judge(named)
        return len(batch)

    async def _count(self, waiting: Sequence[Waiting]) -> None:
        if len(waiting) < self._batch_size:
            TARGETS_PENDING.set(len(waiting))
        elif time.monotonic() > self._counts_at:
            TARGETS_PENDING.set(await self._store.pending())
            self._counts_at = time.monotonic() + COUNT_SECONDS

    def _name(self, pair: Waiting) -> str | None:
        lang = pair.lang if pair.lang in LANGUAGES else self._default_lang
        return name_in(pair.text, pair.terms) if lang in ("es", "auto") else None

    async def _judge(self, named: Sequence[Named]) -> None:
        items = _items(named)
        try:
            answer = await self._sentiment.towards(items)
        except PeerRejected as refused:
            if refused.peer_status not in REFUSALS_OF_A_TEXT:
                raise
            await self._without_the_refused(named, str(refused))
            return
        await self._save(named, answer)

    async def _without_the_refused(self, named: Sequence[Named], reason: str) -> None:
        if len(named) == 1:
            await self._store.save([Towards(named[0][0])], None)
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
            found.append(Towards(pair, one.label if is_named else None, *shares))
            TARGETED.labels(one.basis or ("unjudged" if is_named else "absent")).inc()
        model = f"{answer.model.id}@{answer.model.version}+rules{answer.rules}"
        saved = await self._store.save(found, model) if found else 0
        log.info("targets_judged", pairs=saved)
        if not found:
            log.warning("targets_missing", asked=len(named))
            await asyncio.sleep(LEAST_WAIT_SECONDS)


def _items(named: Sequence[Named]) -> list[tuple[str, str, list[str]]]:
    """Return what to ask; of a tweet with more names than may be asked at once, the others wait for the next call."""
    texts: dict[int, str] = {}
    names: dict[int, dict[str, None]] = {}
    for pair, name in named:
        texts[pair.tweet_id] = pair.text
        of_tweet = names.setdefault(pair.tweet_id, {})
        if len(of_tweet) < MOST_TARGETS:
            of_tweet[name] = None
    return [(str(key), texts[key], list(of_tweet)) for key, of_tweet in names.items()]
