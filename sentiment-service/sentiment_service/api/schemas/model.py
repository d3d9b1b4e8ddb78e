"""The wire models of the sentiment model in use."""

from __future__ import annotations

from typing import Self

from pydantic import Field

from castor_chassis import Integer, ResponseModel
from sentiment_service.api.schemas.fields import Probability
from sentiment_service.classifiers.base import Classifier, Label, ModelCard
from sentiment_service.classifiers.card import Answers, Clearance, Slice, Variant
from sentiment_service.targets.model import RULES_VERSION


class ModelName(ResponseModel):
    """Who scored; scores of different ids or versions do not compare."""

    id: str
    version: str

    @classmethod
    def of(cls, card: ModelCard) -> Self:
        """Name the model of ``card``."""
        return cls(id=card.id, version=card.version)


class Figure(ResponseModel):
    """How well the model did on rows of one source, genre, country or kind that trained nothing."""

    answers: Answers = Field(description="For whole texts, or towards the targets in them.")
    by: Slice
    of: str = Field(description="Which source, genre, country or kind.")
    rows: Integer
    macro_f1: Probability | None = None
    accuracy: Probability | None = None
    standard_error: Probability | None = Field(None, description="Of the macro-F1.")
    calibration_error: Probability | None = Field(None, description="Expected calibration error.")
    whole_text_macro_f1: Probability | None = Field(
        None, description="Of answers towards targets: what the label of the whole text reaches on the same rows."
    )
    whole_text_accuracy: Probability | None = Field(None, description="The same, of the accuracy.")
    variant: Variant = Field(description="The model that ships, or one trained by the same recipe on cleared sources.")
    note: str | None = None


class TrainingSource(ResponseModel):
    """Texts that trained a file."""

    name: str
    rows: Integer | None = None
    licence: str
    cleared_for: Clearance


class ModelFile(ResponseModel):
    """A file of the model, and the use that all of its sources allow."""

    name: str
    licence: str
    cleared_for: Clearance
    trained_on: list[TrainingSource]


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
    reads_targets: bool = Field(
        description="The model itself answers towards targets; otherwise rules do, and the model where they are silent."
    )
    rules: str = Field(description="Version of the rules that answer towards targets.")
    figures: list[Figure] = Field(description="By source, genre, country and kind; empty when nobody measured.")
    files: list[ModelFile] = Field(description="What trained each file and what use that allows; empty: not stated.")

    @classmethod
    def describing(cls, classifier: Classifier) -> Self:
        """Describe a model."""
        card = classifier.model
        return cls(
            id=card.id,
            version=card.version,
            languages=list(card.languages),
            unmeasured_languages=[one for one in card.languages if one not in card.measured_languages],
            labels=list(card.labels),
            held_out=dict(card.held_out),
            calibration=dict(card.calibration),
            reads_targets=classifier.target_reader is not None,
            rules=RULES_VERSION,
            figures=[Figure.model_validate(figure, from_attributes=True) for figure in card.record.figures],
            files=[ModelFile.model_validate(file, from_attributes=True) for file in card.record.files],
        )
