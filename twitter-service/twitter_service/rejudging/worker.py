"""Judges everything again under a new version of the sentiment model, when no new tweet waits to be judged."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

import structlog

from castor_chassis import PeerError
from twitter_service.clients.sentiment import SentimentClient
from twitter_service.metrics import REJUDGING
from twitter_service.rejudging.answer_repository import AnswerRepository
from twitter_service.rejudging.model import RejudgingState, SentimentVersion
from twitter_service.rejudging.settled import SettledVersion
from twitter_service.rejudging.store import CollectedTargets, CollectedTexts, OtherVersionAnswered
from twitter_service.rejudging.version_repository import VersionRepository
from twitter_service.scoring.backoff import wait_seconds
from twitter_service.scoring.score_repository import ScoreRepository
from twitter_service.scoring.target_judge import TargetJudge
from twitter_service.scoring.target_repository import TargetRepository
from twitter_service.scoring.text_judge import TextJudge

IDLE_SECONDS = 15.0
BUSY_SECONDS = 1.0
REPLACED_AT_A_TIME = 500

log = structlog.get_logger("castor.twitter.rejudging")


class FreshWork:
    """Whether new tweets wait for their first answer; they go before."""

    def __init__(self, texts: ScoreRepository, targets: TargetRepository) -> None:
        self._texts = texts
        self._targets = targets

    async def waits(self) -> bool:
        """Return whether any text or pair waits."""
        return bool(await self._texts.unscored(1, [])) or bool(await self._targets.pending(1))


class Rejudger:
    """The background work of one replica, to be run under the lease of the text scores.

    ``on_change`` is called when tweets got their new answers.
    """

    def __init__(
        self,
        versions: VersionRepository,
        answers: AnswerRepository,
        fresh: FreshWork,
        sentiment: SentimentClient,
        *,
        batch_size: int,
        settle_seconds: float,
        default_lang: str,
        on_change: Callable[[], None],
    ) -> None:
        self._versions = versions
        self._answers = answers
        self._fresh = fresh
        self._sentiment = sentiment
        self._batch_size = batch_size
        self._default_lang = default_lang
        self._on_change = on_change
        self._settled = SettledVersion(settle_seconds)
        self._is_active = False

    async def run(self) -> None:
        """Run until cancelled. Raises ``DatabaseUnavailable``."""
        while True:
            try:
                wait = await self.step()
            except PeerError as error:
                wait = wait_seconds(error) if self._is_active else IDLE_SECONDS
                if self._is_active:
                    log.warning("rejudging_waits", reason=str(error), seconds=round(wait, 1))
            except OtherVersionAnswered:
                self._settled.see(None)
                wait = BUSY_SECONDS
            await asyncio.sleep(wait)

    async def step(self) -> float:
        """Do one batch of what is due, and return how many seconds nothing more is.

        Raises ``PeerError`` or ``OtherVersionAnswered``.
        """
        state = await self._versions.state()
        self._is_active = state.phase != "idle"
        REJUDGING.set(self._is_active)
        if state.phase == "switching":
            await self._answers.replace(state, REPLACED_AT_A_TIME)
            self._on_change()
            return 0.0
        self._settled.see(SentimentVersion.of(await self._sentiment.model()))
        version = self._settled.current
        if version is None:
            return BUSY_SECONDS
        if state.is_behind(version):
            log.info("rejudging_begins", model=version.targets)
            await self._versions.begin(version)
            return 0.0
        if state.phase == "idle":
            return IDLE_SECONDS
        if await self._fresh.waits():
            return BUSY_SECONDS
        await (self._judge_texts(state, version) if state.phase == "texts" else self._judge_targets(state, version))
        return 0.0

    async def _judge_texts(self, state: RejudgingState, version: SentimentVersion) -> None:
        batch = await self._answers.stale_texts(state, self._batch_size)
        if not batch:
            await self._versions.go_on_with_targets()
            return
        store = CollectedTexts(self._answers, version)
        await TextJudge(store, self._sentiment, default_lang=self._default_lang, on_saved=lambda _: None).score(batch)
        await self._versions.advance(batch[-1].id, "", store.saved)

    async def _judge_targets(self, state: RejudgingState, version: SentimentVersion) -> None:
        batch = await self._answers.stale_targets(state, self._batch_size)
        if not batch:
            await self._versions.switch()
            log.info("rejudging_switches", model=version.targets, judged=state.judged)
            return
        store = CollectedTargets(self._answers, version)
        await TargetJudge(store, self._sentiment, default_lang=self._default_lang).judge(batch)
        await self._versions.advance(batch[-1].tweet_id, batch[-1].entity_id, store.saved)
