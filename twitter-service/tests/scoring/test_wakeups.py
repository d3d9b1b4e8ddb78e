"""A worker that is told of new tweets while it looks for some does not wait for its next poll."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine, Sequence
from typing import Any

import pytest

from castor_chassis import Wakeup
from twitter_service.scoring import target_scorer, text_scorer
from twitter_service.scoring.score_repository import UnscoredTweet
from twitter_service.scoring.target_repository import PendingTarget
from twitter_service.scoring.target_scorer import TargetScorer
from twitter_service.scoring.text_scorer import TextScorer

NEVER_SECONDS = 3600.0


class _StoredTooLate:
    """A repository in which a tweet is stored just after the first look has seen none."""

    def __init__(self, wakeup: Wakeup) -> None:
        self._wakeup = wakeup
        self._looks = 0
        self.looked_again = asyncio.Event()

    async def unscored(self, _limit: int, _besides: Sequence[int]) -> list[UnscoredTweet]:
        return self._look()

    async def pending(self, _limit: int) -> list[PendingTarget]:
        return self._look()

    def _look(self) -> list[Any]:
        self._looks += 1
        if self._looks == 1:
            self._wakeup.set()
        else:
            self.looked_again.set()
        return []


async def looks_again(work: Coroutine[Any, Any, None], repository: _StoredTooLate) -> None:
    """Run ``work`` until it looks a second time."""
    running = asyncio.ensure_future(work)
    try:
        async with asyncio.timeout(60):
            await repository.looked_again.wait()
    finally:
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)


async def test_texts_stored_during_a_look_are_scored_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """The scorer of texts looks again at once when tweets were stored while it looked."""
    monkeypatch.setattr(text_scorer, "POLL_SECONDS", NEVER_SECONDS)
    wakeup = Wakeup()
    repository: Any = _StoredTooLate(wakeup)
    sentiment: Any = None
    scorer = TextScorer(
        repository, sentiment, wakeup, batch_size=1, in_flight=2, default_lang="es", on_scored=lambda: None
    )
    await looks_again(scorer.run(), repository)


async def test_texts_scored_during_a_look_are_judged_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """The scorer of targets looks again at once when texts were scored while it looked."""
    monkeypatch.setattr(target_scorer, "POLL_SECONDS", NEVER_SECONDS)
    wakeup = Wakeup()
    repository: Any = _StoredTooLate(wakeup)
    sentiment: Any = None
    scorer = TargetScorer(repository, sentiment, wakeup, batch_size=1, default_lang="es")
    await looks_again(scorer.run(), repository)
