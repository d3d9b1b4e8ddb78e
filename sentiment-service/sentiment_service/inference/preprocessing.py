"""What is known about a text before the model sees it: whether to score it at all, its key, and its length."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from sentiment_service.classifiers.linear import Classifier
from sentiment_service.inference.batcher import Reading
from sentiment_service.text.language import detect, unscored_reason
from sentiment_service.text.normalise import normalise


@dataclass(frozen=True, slots=True)
class Prepared:
    """A text to be scored, or the reason why it is not."""

    reading: Reading | None
    reason: str | None = None


def prepare(classifier: Classifier, texts: Sequence[str]) -> list[Prepared]:
    """Read each raw text; one without content or in a language that the model does not know is not to be scored."""
    known = classifier.model.languages
    reasons = [unscored_reason(detect(text), known) for text in texts]
    lengths = iter(classifier.lengths([text for text, reason in zip(texts, reasons, strict=True) if reason is None]))
    return [
        Prepared(Reading(normalise(text), text, max(1, next(lengths)))) if reason is None else Prepared(None, reason)
        for text, reason in zip(texts, reasons, strict=True)
    ]


def estimated_cost(classifier: Classifier, texts: Sequence[str]) -> int:
    """Return about how many tokens the texts have, without reading them."""
    return sum(1 + len(text) // classifier.characters_per_token for text in texts)
