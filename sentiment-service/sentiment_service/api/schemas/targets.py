"""The wire models of sentiment towards targets."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Literal, Self

from pydantic import Field, StringConstraints

from castor_chassis import Identifier, Pattern, RequestModel, ResponseModel
from sentiment_service.api.schemas.fields import Probability, Tweet, Windows
from sentiment_service.api.schemas.model import ModelName
from sentiment_service.classifiers.base import Label, ModelCard
from sentiment_service.targets import model as records
from sentiment_service.targets.model import Basis

MAX_ITEMS = 200
MAX_TARGETS = 10
# Readers of a contract disagree on what \S matches: to ECMAScript U+0085 is no white space, to Python U+001C is.
_VISIBLE = r"[^\s\x1c-\x1f\x85\ufeff]"

Target = Annotated[
    str,
    StringConstraints(min_length=1, max_length=100),
    Pattern(_VISIBLE, "must have a character that can be seen"),
    Field(
        description="A name as texts write it. Found as whole words, without regard to case, accents and tildes, also "
        "in a hashtag or handle: between words marked by capitals (`#TodosConPetro`), or, in one case, between words "
        "of campaigns and digits (`#todosconpetro2022`). A person's other names are targets of their own.",
    ),
]


class TargetItem(RequestModel):
    """A text, and whom or what to look for in it."""

    id: Identifier
    text: Tweet
    targets: list[Target] = Field(min_length=1, max_length=MAX_TARGETS)


class TargetsRequest(RequestModel):
    """Texts in Spanish, each with its own targets."""

    items: list[TargetItem] = Field(min_length=1, max_length=MAX_ITEMS)


class TargetSentiment(ResponseModel):
    """What a text says for or against one target; probabilities are absent when the target is."""

    target: str
    label: Label | Literal["absent"] = Field(description="`absent`: the text does not name the target.")
    positive: Probability | None = None
    neutral: Probability | None = None
    negative: Probability | None = None
    confidence: Probability | None = Field(None, description="The probability of the label.")
    basis: Basis | None = Field(
        None,
        description="What it rests on: a comparison (`preference`), an attitude towards something that befell the "
        "target (`event`), a side taken outright (`side`), mocking praise (`irony`), the target's own words "
        "(`reported`), words of known polarity (`words`), or the model's view of the clause (`model`).",
    )
    reason: str | None = Field(None, description="Why the text was not judged but answered neutral (0, 1, 0).")
    windows: Windows = None

    @classmethod
    def of(cls, target: str, sentiment: records.TargetSentiment) -> Self:
        """Build the answer from a target and the sentiment towards it."""
        scores = sentiment.scores
        if scores is None:
            return cls(target=target, label="absent")
        return cls(
            target=target,
            label=scores.label,
            positive=scores.positive,
            neutral=scores.neutral,
            negative=scores.negative,
            confidence=scores.confidence,
            basis=sentiment.basis,
            reason=sentiment.reason,
            windows=sentiment.windows if sentiment.windows > 1 else None,
        )


class ItemTargets(ResponseModel):
    """The targets of one item, in the order asked."""

    id: str
    targets: list[TargetSentiment]


class TargetsAnalysis(ResponseModel):
    """Answer to items: one result for each, in their order."""

    results: list[ItemTargets]
    model: ModelName
    rules: str = Field(description="Version of the rules; opinions of different rules or models do not compare.")

    @classmethod
    def of(
        cls, items: Sequence[TargetItem], found: Sequence[Sequence[records.TargetSentiment]], card: ModelCard
    ) -> Self:
        """Build the answer from the items and the sentiment towards their targets."""
        results = [
            ItemTargets(
                id=item.id,
                targets=[TargetSentiment.of(*pair) for pair in zip(item.targets, sentiments, strict=True)],
            )
            for item, sentiments in zip(items, found, strict=True)
        ]
        return cls(results=results, model=ModelName.of(card), rules=records.RULES_VERSION)
