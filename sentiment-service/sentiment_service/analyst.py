"""From texts to judgements: the cache, the batches, and the count of what was answered."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import Literal

from sentiment_service.batching import Batcher
from sentiment_service.language import unscored_reason
from sentiment_service.metrics import CONFIDENCE, LABELS, TEXTS
from sentiment_service.model import Judgement, LoadedModel, unscored
from sentiment_service.score_cache import ScoreCache

RequestedLanguage = Literal["es", "en", "pt", "auto"]


class Analyst:
    """Judges the texts of one request."""

    def __init__(self, model: LoadedModel, batcher: Batcher[Judgement], cache: ScoreCache | None = None) -> None:
        self.model = model
        self._batcher = batcher
        self._cache = cache

    async def judge(self, texts: Sequence[str], lang: RequestedLanguage) -> list[Judgement]:
        """Return one judgement for each text, in their order.

        ``lang`` is what the caller knows: where the model does not know that language nothing is scored. Whatever the
        caller says, a text that is evidently in a language unknown to the model stays unscored.

        Raises:
            ModelUnavailable: There is no model, yet or at all.
            QueueFull: Too many texts wait.
        """
        card = self.model.card
        reason = None if lang == "auto" else unscored_reason(lang, card.languages)
        if reason is not None:
            judgements = [unscored(reason)] * len(texts)
        else:
            known = await self._judge_unique(list(dict.fromkeys(texts)))
            judgements = [known[text] for text in texts]
        _observe(judgements)
        return judgements

    async def _judge_unique(self, texts: list[str]) -> dict[str, Judgement]:
        if self._cache is None:
            return await self._batcher.submit(texts)
        card = self.model.card
        known = await self._cache.get(card, texts)
        fresh = await self._batcher.submit([text for text in texts if text not in known])
        await self._cache.put(card, fresh)
        return known | fresh


def _observe(judgements: Sequence[Judgement]) -> None:
    scored = [judgement.scores for judgement in judgements if judgement.reason is None]
    TEXTS.labels("scored").inc(len(scored))
    TEXTS.labels("unscored").inc(len(judgements) - len(scored))
    for label, count in Counter(scores.label for scores in scored).items():
        LABELS.labels(label).inc(count)
    for scores in scored:
        CONFIDENCE.observe(scores.confidence)
