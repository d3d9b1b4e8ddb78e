"""What is known about a text before the model reads it: whether to score it at all, its cache key and its length."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from sentiment_service.classifiers.base import Classifier, TextSize
from sentiment_service.inference.model import InferenceRequest
from sentiment_service.inference.questions import Question, prepared, sizes, text_of
from sentiment_service.text.language import detect, unscored_reason


@dataclass(frozen=True, slots=True)
class PreprocessedText:
    """A text for the model to compute, or the reason why it is not to be scored."""

    request: InferenceRequest | None
    reason: str | None = None


def preprocess(classifier: Classifier, texts: Sequence[Question]) -> list[PreprocessedText]:
    """Preprocess raw texts, or pairs of text and target.

    A text without words, or in a language that the model does not know, is not to be scored.
    """
    known = classifier.model.languages
    reasons = [unscored_reason(detect(text_of(text)), known) for text in texts]
    asked = [text for text, reason in zip(texts, reasons, strict=True) if reason is None]
    size = iter(sizes(classifier, asked))
    return [
        PreprocessedText(_request(classifier, text, next(size)) if reason is None else None, reason)
        for text, reason in zip(texts, reasons, strict=True)
    ]


def _request(classifier: Classifier, text: Question, size: TextSize) -> InferenceRequest:
    return InferenceRequest(prepared(classifier, text), text, max(1, size.tokens), size.windows)


def estimated_cost(classifier: Classifier, texts: Sequence[Question]) -> int:
    """Return about how many tokens the texts have, by their number of characters."""
    return sum(1 + len(text_of(text)) // classifier.characters_per_token for text in texts)
