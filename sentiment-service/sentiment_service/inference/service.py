"""The sentiment of texts: cache, batches, and metrics of what was answered."""

from __future__ import annotations

from collections import Counter
from collections.abc import Awaitable, Callable, Sequence
from typing import Any, Literal

from sentiment_service.classifiers.base import Classifier, Scores
from sentiment_service.classifiers.loader import LoadedModel
from sentiment_service.inference.drift import Drift
from sentiment_service.inference.model import InferenceRequest, ScoredText, unscored
from sentiment_service.inference.preprocessing import PreprocessedText, estimated_cost, preprocess
from sentiment_service.inference.questions import Question, text_of
from sentiment_service.inference.scheduler import InferenceScheduler
from sentiment_service.inference.score_cache import ScoreCache
from sentiment_service.metrics import CONFIDENCE, LABELS, TEXTS
from sentiment_service.text.language import unscored_reason

# To preprocess so little takes about a third of a millisecond, less than to hand it to a thread and back.
_SHORT_CHARACTERS = 600
RequestedLanguage = Literal["es", "en", "pt", "auto"]


class SentimentService:
    """Scores the texts of one request."""

    def __init__(
        self,
        model: LoadedModel,
        scheduler: InferenceScheduler[Scores],
        in_thread: Callable[..., Awaitable[Any]],
        cache: ScoreCache | None = None,
    ) -> None:
        self.model = model
        self._scheduler = scheduler
        self._in_thread = in_thread
        self._cache = cache
        self._drift: Drift | None = None

    def admit(self, body_bytes: int) -> None:
        """Refuse a request by the size of its body, before any of it is read, if it would be refused afterwards.

        Raises:
            QueueFull: Its texts would wait too long.
        """
        if self.model.is_loaded:
            self._scheduler.check(1 + body_bytes // self.model.classifier.characters_per_token, 1)

    async def score(
        self, texts: Sequence[Question], lang: RequestedLanguage, *, count: bool = True
    ) -> list[ScoredText]:
        """Return the scores of each text, or of each pair of text and target, in the order given.

        ``lang`` is the language that the caller names: where the model does not know it, nothing is scored. A text
        that is evidently in a language unknown to the model is not scored whatever the caller names.
        ``count`` says whether the metrics count these texts; parts of texts are not counted.

        Raises:
            ModelUnavailable: The model is not loaded yet, or could not be loaded.
            QueueFull: The texts would wait too long.
        """
        card = self.model.card
        reason = None if lang == "auto" else unscored_reason(lang, card.languages)
        if reason is not None:
            scored = [unscored(reason)] * len(texts)
        else:
            known = await self._score_unique(list(dict.fromkeys(texts)))
            scored = [known[text] for text in texts]
        if count:
            self._observe(scored)
        return scored

    async def _score_unique(self, texts: list[Question]) -> dict[Question, ScoredText]:
        classifier = self.model.classifier
        with self._scheduler.reserved(estimated_cost(classifier, texts), len(texts)):
            preprocessed = await self._preprocessed(classifier, texts)
        scores = await self._compute([one.request for one in preprocessed if one.request is not None])
        return {text: _scored(one, scores) for text, one in zip(texts, preprocessed, strict=True)}

    async def _preprocessed(self, classifier: Classifier, texts: list[Question]) -> list[PreprocessedText]:
        if sum(len(text_of(text)) for text in texts) <= _SHORT_CHARACTERS:
            return preprocess(classifier, texts)
        found: list[PreprocessedText] = await self._in_thread(preprocess, classifier, texts)
        return found

    async def _compute(self, requests: Sequence[InferenceRequest]) -> dict[str, Scores]:
        """Return scores by key, from the cache where they are known."""
        if self._cache is None:
            return await self._scheduler.submit(requests)
        card = self.model.card
        known = await self._cache.get(card, list({request.key for request in requests}))
        fresh = await self._scheduler.submit([request for request in requests if request.key not in known])
        await self._cache.put(card, fresh)
        return known | fresh

    def _observe(self, texts: Sequence[ScoredText]) -> None:
        scored = [text.scores for text in texts if text.reason is None]
        TEXTS.labels("scored").inc(len(scored))
        TEXTS.labels("unscored").inc(len(texts) - len(scored))
        for label, count in Counter(scores.label for scores in scored).items():
            LABELS.labels(label).inc(count)
        for scores in scored:
            CONFIDENCE.observe(scores.confidence)
        if self._drift is None:
            self._drift = Drift(self.model.card.reference)
        self._drift.note(scored)


def _scored(preprocessed: PreprocessedText, scores: dict[str, Scores]) -> ScoredText:
    if preprocessed.request is None:
        return unscored(preprocessed.reason or "")
    request = preprocessed.request
    return ScoredText(scores[request.key], windows=request.windows)
