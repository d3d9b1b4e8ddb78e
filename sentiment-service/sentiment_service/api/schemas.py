"""The wire of sentiment-service."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import Annotated, Any, Self

from pydantic import Field

from castor_chassis import Identifier, RequestModel, ResponseModel
from sentiment_service.classifiers.linear import Label, ModelCard
from sentiment_service.classifiers.loader import Judgement
from sentiment_service.inference.service import RequestedLanguage

MAX_TEXTS = 1000
MAX_CHARACTERS = 10_000

Tweet = Annotated[str, Field(max_length=MAX_CHARACTERS, description="A raw text; blank is allowed and unscored.")]
Probability = Annotated[float, Field(ge=0, le=1)]
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


class TextSentiment(Sentiment):
    """The sentiment of one text."""

    text: str


class ItemSentiment(Sentiment):
    """The sentiment of one item."""

    id: str


class ModelName(ResponseModel):
    """Who scored; scores of different ids or versions do not compare."""

    id: str
    version: str

    @classmethod
    def of(cls, card: ModelCard) -> Self:
        """Name the model of ``card``."""
        return cls(id=card.id, version=card.version)


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
    def of(cls, texts: Sequence[str], judgements: Sequence[Judgement], card: ModelCard) -> Self:
        """Put texts and their judgements together."""
        results = [
            TextSentiment(text=text, **_sentiment(judgement)) for text, judgement in zip(texts, judgements, strict=True)
        ]
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
    def of(cls, items: Sequence[Item], judgements: Sequence[Judgement], card: ModelCard) -> Self:
        """Put items and their judgements together."""
        results = [
            ItemSentiment(id=item.id, **_sentiment(judgement))
            for item, judgement in zip(items, judgements, strict=True)
        ]
        return cls(results=results, model=ModelName.of(card))


class ModelDescription(ModelName):
    """What the model in use says about itself."""

    languages: list[str] = Field(description="ISO 639-1 codes; texts in others are unscored.")
    unmeasured_languages: list[str] = Field(
        description="Those in which nobody measured how well it does: texts are scored, but the scores are unproved."
    )
    labels: list[Label]
    held_out: dict[str, float] = Field(
        description="Measured on texts that the model never saw, by name of the measure."
    )
    calibration: dict[str, float] = Field(
        description="How far the probabilities can be believed, by name of the measure; empty when nobody measured."
    )

    @classmethod
    def of(cls, card: ModelCard) -> Self:
        """Describe the model of ``card``."""
        return cls(
            id=card.id,
            version=card.version,
            languages=list(card.languages),
            unmeasured_languages=[one for one in card.languages if one not in card.measured_languages],
            labels=list(card.labels),
            held_out=dict(card.held_out),
            calibration=dict(card.calibration),
        )


def _sentiment(judgement: Judgement) -> dict[str, Any]:
    scores = judgement.scores
    return {
        "positive": scores.positive,
        "neutral": scores.neutral,
        "negative": scores.negative,
        "label": scores.label,
        "confidence": scores.confidence,
        "reason": judgement.reason,
    }
