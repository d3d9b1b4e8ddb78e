"""Sentiment towards targets: the rules first, then the model for the targets that the rules leave open."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Collection, Mapping, Sequence
from typing import Any

from sentiment_service.inference.model import ScoredText, unscored
from sentiment_service.inference.service import SentimentService
from sentiment_service.metrics import TARGETS
from sentiment_service.targets.assess import assess
from sentiment_service.targets.model import PendingTarget, TargetSentiment
from sentiment_service.text.language import detect, unscored_reason

TextsWithTargets = Sequence[tuple[str, Sequence[str]]]


class TargetSentimentService:
    """Scores the targets of one request's texts."""

    def __init__(self, sentiment: SentimentService, in_thread: Callable[..., Awaitable[Any]]) -> None:
        self._sentiment = sentiment
        self._in_thread = in_thread

    async def score(self, texts: TextsWithTargets) -> list[list[TargetSentiment]]:
        """Return the sentiment towards each target of each text, in the order given.

        Raises:
            ModelUnavailable: The model is not loaded yet, or could not be loaded.
            QueueFull: The clauses that the model has to read would wait too long.
        """
        languages = self._sentiment.model.card.languages
        assessed: list[list[TargetSentiment | PendingTarget]] = await self._in_thread(assess_all, texts, languages)
        scopes = list(dict.fromkeys(one.scope for found in assessed for one in found if isinstance(one, PendingTarget)))
        scored = await self._sentiment.score(scopes, "auto", count=False) if scopes else []
        by_scope = dict(zip(scopes, scored, strict=True))
        sentiments = [_resolved(found, by_scope) for found in assessed]
        for sentiment in (sentiment for found in sentiments for sentiment in found):
            TARGETS.labels(sentiment.basis or ("absent" if sentiment.scores is None else "unscored")).inc()
        return sentiments


def assess_all(texts: TextsWithTargets, languages: Collection[str]) -> list[list[TargetSentiment | PendingTarget]]:
    """Apply the rules to each target of each text.

    In a text that the model does not score, the targets that are named are neutral, with the reason.
    """
    return [_assess(text, targets, unscored_reason(detect(text), languages)) for text, targets in texts]


def _assess(text: str, targets: Sequence[str], reason: str | None) -> list[TargetSentiment | PendingTarget]:
    distinct = list(dict.fromkeys(targets))
    found = {target: assess(text, target, [other for other in distinct if other != target]) for target in distinct}
    if reason is not None:
        neutral = TargetSentiment(unscored(reason).scores, None, reason)
        return [neutral if _is_named(found[target]) else found[target] for target in targets]
    return [found[target] for target in targets]


def _is_named(found: TargetSentiment | PendingTarget) -> bool:
    return isinstance(found, PendingTarget) or found.scores is not None


def _resolved(
    found: Sequence[TargetSentiment | PendingTarget], scored: Mapping[str, ScoredText]
) -> list[TargetSentiment]:
    return [_by_model(scored[one.scope]) if isinstance(one, PendingTarget) else one for one in found]


def _by_model(scope: ScoredText) -> TargetSentiment:
    return TargetSentiment(scope.scores, "model", scope.reason, scope.windows)
