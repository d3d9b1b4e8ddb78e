"""Where the judges put answers of the coming version; those of another version are refused."""

from __future__ import annotations

from collections.abc import Sequence

from twitter_service.metrics import REJUDGED
from twitter_service.rejudging.answer_repository import AnswerRepository
from twitter_service.rejudging.model import SentimentVersion
from twitter_service.scoring.score_repository import TweetScore, UnscoredTweet
from twitter_service.scoring.target_repository import TargetSentiment


class OtherVersionAnswered(Exception):
    """Another version than the coming one has answered, as happens during a rollout."""


class CollectedTexts:
    """A ``ScoreStore``; ``saved`` counts."""

    def __init__(self, answers: AnswerRepository, coming: SentimentVersion) -> None:
        self._answers = answers
        self._coming = coming
        self.saved = 0

    async def save(self, scores: Sequence[TweetScore], model: str) -> int:
        """Keep scores, and return how many; raises ``OtherVersionAnswered``."""
        if model != self._coming.texts:
            raise OtherVersionAnswered
        return self._count(await self._answers.collect_texts(scores))

    async def mark_unscorable(self, tweet: UnscoredTweet, reason: str) -> None:
        """Keep that a text was refused."""
        self._count(await self._answers.collect_refusal(tweet, reason))

    def _count(self, saved: int) -> int:
        self.saved += saved
        REJUDGED.labels("text").inc(saved)
        return saved


class CollectedTargets:
    """A ``TargetStore``; ``saved`` counts."""

    def __init__(self, answers: AnswerRepository, coming: SentimentVersion) -> None:
        self._answers = answers
        self._coming = coming
        self.saved = 0

    async def save(self, found: Sequence[TargetSentiment], model: str | None) -> int:
        """Keep sentiments, and return how many; raises ``OtherVersionAnswered``."""
        if model not in (None, self._coming.targets):
            raise OtherVersionAnswered
        saved = await self._answers.collect_targets(found)
        self.saved += saved
        REJUDGED.labels("target").inc(saved)
        return saved
