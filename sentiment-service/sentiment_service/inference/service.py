"""From texts to judgements: the cache, the batches, and the count of what was answered."""

from __future__ import annotations

from collections import Counter
from collections.abc import Awaitable, Callable, Sequence
from typing import Any, Literal

from sentiment_service.classifiers.linear import Classifier, Scores
from sentiment_service.classifiers.loader import Judgement, LoadedModel, unscored
from sentiment_service.inference.batcher import Batcher, Reading
from sentiment_service.inference.drift import Drift
from sentiment_service.inference.preprocessing import Prepared, estimated_cost, prepare
from sentiment_service.inference.score_cache import ScoreCache
from sentiment_service.metrics import CONFIDENCE, LABELS, TEXTS
from sentiment_service.text.language import unscored_reason

# To read so little takes about a third of a millisecond, less than to hand it to a thread and back.
_SHORT_CHARACTERS = 600
RequestedLanguage = Literal["es", "en", "pt", "auto"]


class Analyst:
    """Judges the texts of one request."""

    def __init__(
        self,
        model: LoadedModel,
        batcher: Batcher[Scores],
        in_thread: Callable[..., Awaitable[Any]],
        cache: ScoreCache | None = None,
    ) -> None:
        self.model = model
        self._batcher = batcher
        self._in_thread = in_thread
        self._cache = cache
        self._drift: Drift | None = None

    def admit(self, body_bytes: int) -> None:
        """Refuse a request by the size of its body, before anything of it is read, if it would be refused afterwards.

        Raises:
            QueueFull: Its texts would wait too long.
        """
        if self.model.is_loaded:
            self._batcher.check(1 + body_bytes // self.model.classifier.characters_per_token, 1)

    async def judge(self, texts: Sequence[str], lang: RequestedLanguage, *, count: bool = True) -> list[Judgement]:
        """Return one judgement for each text, in their order.

        ``lang`` is what the caller knows: where the model does not know that language nothing is scored. Whatever the
        caller says, a text that is evidently in a language unknown to the model stays unscored.
        ``count`` them among what was answered, unless they are parts of texts.

        Raises:
            ModelUnavailable: There is no model, yet or at all.
            QueueFull: The texts would wait too long.
        """
        card = self.model.card
        reason = None if lang == "auto" else unscored_reason(lang, card.languages)
        if reason is not None:
            judgements = [unscored(reason)] * len(texts)
        else:
            known = await self._judge_unique(list(dict.fromkeys(texts)))
            judgements = [known[text] for text in texts]
        if count:
            self._observe(judgements)
        return judgements

    async def _judge_unique(self, texts: list[str]) -> dict[str, Judgement]:
        classifier = self.model.classifier
        with self._batcher.announced(estimated_cost(classifier, texts), len(texts)):
            prepared = await self._prepared(classifier, texts)
        scores = await self._score([one.reading for one in prepared if one.reading is not None])
        return {text: _judgement(one, scores) for text, one in zip(texts, prepared, strict=True)}

    async def _prepared(self, classifier: Classifier, texts: list[str]) -> list[Prepared]:
        if sum(map(len, texts)) <= _SHORT_CHARACTERS:
            return prepare(classifier, texts)
        found: list[Prepared] = await self._in_thread(prepare, classifier, texts)
        return found

    async def _score(self, readings: Sequence[Reading]) -> dict[str, Scores]:
        if self._cache is None:
            return await self._batcher.submit(readings)
        card = self.model.card
        known = await self._cache.get(card, list({reading.key for reading in readings}))
        fresh = await self._batcher.submit([reading for reading in readings if reading.key not in known])
        await self._cache.put(card, fresh)
        return known | fresh

    def _observe(self, judgements: Sequence[Judgement]) -> None:
        scored = [judgement.scores for judgement in judgements if judgement.reason is None]
        TEXTS.labels("scored").inc(len(scored))
        TEXTS.labels("unscored").inc(len(judgements) - len(scored))
        for label, count in Counter(scores.label for scores in scored).items():
            LABELS.labels(label).inc(count)
        for scores in scored:
            CONFIDENCE.observe(scores.confidence)
        if self._drift is None:
            self._drift = Drift(self.model.card.reference)
        self._drift.note(scored)


def _judgement(prepared: Prepared, scores: dict[str, Scores]) -> Judgement:
    if prepared.reading is None:
        return unscored(prepared.reason or "")
    return Judgement(scores[prepared.reading.key])
