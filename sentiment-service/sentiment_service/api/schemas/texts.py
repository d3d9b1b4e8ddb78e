"""The wire models of the sentiment of texts."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import Annotated, Any, Self

from pydantic import Field

from castor_chassis import Identifier, RequestModel, ResponseModel
from sentiment_service.api.schemas.fields import Probability, Tweet, Windows
from sentiment_service.api.schemas.model import ModelName
from sentiment_service.classifiers.base import Label, ModelCard
from sentiment_service.inference.model import ScoredText
from sentiment_service.inference.service import RequestedLanguage

MAX_TEXTS = 1000
Language = Annotated[
    RequestedLanguage,
    Field(
        description="Language of the texts. Whatever it says, a text in a language unknown to the model is unscored."
    ),
]


class AnalyzeRequest(RequestModel):
    """Texts to judge."""

    texts: list[Tweet] = Field(min_length=1, max_length=MAX_TEXTS)
    lang: Language = "es"


class Item(RequestModel):
    """A text under an id of the caller's."""

    id: Identifier
    text: Tweet


class BatchRequest(RequestModel):
    """Texts to judge, each under its own id."""

    items: list[Item] = Field(min_length=1, max_length=MAX_TEXTS)
    lang: Language = "es"


class Sentiment(ResponseModel):
    """Probabilities that sum to 1, and what follows from them."""

    positive: Probability
    neutral: Probability
    negative: Probability
    label: Label = Field(description="The most probable of the three; a tie is neutral.")
    confidence: Probability = Field(description="The probability of the label.")
    reason: str | None = Field(
        None, description="Why the text was not scored but answered neutral (0, 1, 0); absent when it was scored."
    )
    windows: Windows = None


class TextSentiment(Sentiment):
    """The sentiment of one text."""

    text: str


class ItemSentiment(Sentiment):
    """The sentiment of one item."""

    id: str


class Summary(ResponseModel):
    """How many texts got which label; unscored ones count as neutral."""

    total: int
    positive: int
    neutral: int
    negative: int


class Analysis(ResponseModel):
    """Answer to texts: one result for each, in their order."""

    results: list[TextSentiment]
    summary: Summary
    model: ModelName

    @classmethod
    def of(cls, texts: Sequence[str], scored: Sequence[ScoredText], card: ModelCard) -> Self:
        """Build the answer from the texts and their scores."""
        results = [TextSentiment(text=text, **_fields(one)) for text, one in zip(texts, scored, strict=True)]
        counts = Counter(result.label for result in results)
        summary = Summary(
            total=len(results),
            positive=counts["positive"],
            neutral=counts["neutral"],
            negative=counts["negative"],
        )
        return cls(results=results, summary=summary, model=ModelName.of(card))


class BatchAnalysis(ResponseModel):
    """Answer to items: one result for each, in their order."""

    results: list[ItemSentiment]
    model: ModelName

    @classmethod
    def of(cls, items: Sequence[Item], scored: Sequence[ScoredText], card: ModelCard) -> Self:
        """Build the answer from the items and their scores."""
        results = [ItemSentiment(id=item.id, **_fields(one)) for item, one in zip(items, scored, strict=True)]
        return cls(results=results, model=ModelName.of(card))


def _fields(text: ScoredText) -> dict[str, Any]:
    scores = text.scores
    return {
        "positive": scores.positive,
        "neutral": scores.neutral,
        "negative": scores.negative,
        "label": scores.label,
        "confidence": scores.confidence,
        "reason": text.reason,
        "windows": text.windows if text.windows > 1 else None,
    }
