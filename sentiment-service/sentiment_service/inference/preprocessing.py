"""What is known about a text before the model reads it: whether to score it at all, its cache key and its length."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from sentiment_service.classifiers.base import Classifier, TextSize
from sentiment_service.inference.model import InferenceRequest
from sentiment_service.text.language import detect, unscored_reason


@dataclass(frozen=True, slots=True)
class PreprocessedText:
    """A text for the model to compute, or the reason why it is not to be scored."""

    request: InferenceRequest | None
    reason: str | None = None


def preprocess(classifier: Classifier, texts: Sequence[str]) -> list[PreprocessedText]:
    """Preprocess raw texts; one without words or in a language that the model does not know is not to be scored."""
    known = classifier.model.languages
    reasons = [unscored_reason(detect(text), known) for text in texts]
    sizes = iter(classifier.sizes([text for text, reason in zip(texts, reasons, strict=True) if reason is None]))
    return [
        PreprocessedText(_request(classifier, text, next(sizes)) if reason is None else None, reason)
        for text, reason in zip(texts, reasons, strict=True)
    ]


def _request(classifier: Classifier, text: str, size: TextSize) -> InferenceRequest:
    return InferenceRequest(classifier.prepare(text), text, max(1, size.tokens), size.windows)


def estimated_cost(classifier: Classifier, texts: Sequence[str]) -> int:
    """Return about how many tokens the texts have, by their number of characters."""
    return sum(1 + len(text) // classifier.characters_per_token for text in texts)
