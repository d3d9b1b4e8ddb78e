"""The wire models of the sentiment model in use."""

from __future__ import annotations

from typing import Self

from pydantic import Field

from castor_chassis import ResponseModel
from sentiment_service.classifiers.base import Label, ModelCard


class ModelName(ResponseModel):
    """Who scored; scores of different ids or versions do not compare."""

    id: str
    version: str

    @classmethod
    def of(cls, card: ModelCard) -> Self:
        """Name the model of ``card``."""
        return cls(id=card.id, version=card.version)


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
