"""What a sentiment model is to the service: its labels, scores, card and interface."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal, Protocol, Self, cast

import numpy as np
from numpy.typing import NDArray

from sentiment_service.classifiers.card import Record, record_of

# Ends the errors of a model folder of this service.
REMEDY = "restore it from the release or rebuild it as training/README.md describes"
Label = Literal["positive", "neutral", "negative"]
LABELS: tuple[Label, ...] = ("positive", "neutral", "negative")


@dataclass(frozen=True, slots=True)
class Scores:
    """Probabilities of the three labels; they sum to 1."""

    positive: float
    neutral: float
    negative: float

    @property
    def label(self) -> Label:
        """The most probable label; a tie goes to neutral."""
        if self.neutral >= max(self.positive, self.negative):
            return "neutral"
        if self.positive == self.negative:
            return "neutral"
        return "positive" if self.positive > self.negative else "negative"

    @property
    def confidence(self) -> float:
        """The probability of the label in [0, 1]."""
        return float(getattr(self, self.label))


@dataclass(frozen=True, slots=True)
class TargetedText:
    """A text, to be read for what it says towards a target that it names."""

    text: str
    target: str


@dataclass(frozen=True, slots=True)
class TextSize:
    """What a text costs, in tokens (at least 1), and in how many windows the model reads it: 1 where it fits."""

    tokens: int
    windows: int = 1


@dataclass(frozen=True, slots=True)
class ModelCard:
    """What a model says about itself: identity, languages, and how well it did on texts that it never saw.

    `measured_languages` are those of its languages in which somebody measured how well it does.
    `calibration` are measures of how far its probabilities can be believed. `reference` is what it answers on a stated
    set of texts: the share of each label under `labels`, and under `confidence` the share of answers in each of ten
    bins of equal width; a service compares its own traffic with it to see drift. `record` is what its `card.json` says.
    """

    id: str
    version: str
    languages: tuple[str, ...]
    labels: tuple[Label, ...]
    held_out: Mapping[str, float] = field(default_factory=dict)
    calibration: Mapping[str, float] = field(default_factory=dict)
    reference: Mapping[str, Any] = field(default_factory=dict)
    measured_languages: tuple[str, ...] = ()
    record: Record = field(default_factory=Record)

    @classmethod
    def of(cls, manifest: Mapping[str, Any], files: Mapping[str, bytes] | None = None) -> Self:
        """Read the card in a manifest and, where it lists one, in ``card.json`` among its files.

        Raises ``KeyError`` or ``ValueError`` where it is none.
        """
        labels = tuple(manifest["labels"])
        if sorted(labels) != sorted(LABELS):
            raise ValueError(f"labels {labels}, expected {LABELS}")
        return cls(
            id=manifest["id"],
            version=manifest["version"],
            languages=tuple(manifest["languages"]),
            labels=labels,
            held_out=manifest["held_out"],
            calibration=manifest.get("calibration", {}),
            reference=manifest.get("reference", {}),
            measured_languages=tuple(manifest.get("measured_languages", ())),
            record=record_of(files or {}),
        )


class TargetReading(Protocol):
    """What a model that answers towards targets does with pairs of text and target."""

    def prepare(self, pair: TargetedText) -> str:
        """Return how a pair is written: pairs that become equal have equal scores."""
        ...

    def classify(self, pairs: Sequence[TargetedText]) -> list[Scores]:
        """Return the scores of each pair, in the order given."""
        ...

    def sizes(self, pairs: Sequence[TargetedText]) -> list[TextSize]:
        """Return what each pair costs, and its windows."""
        ...


class Classifier(Protocol):
    """Any sentiment model: immutable once loaded, so safe to use from several threads."""

    @property
    def model(self) -> ModelCard:
        """Identity and measured quality."""
        ...

    @property
    def prepare(self) -> Callable[[str], str]:
        """How a raw text is written before it is tokenised: texts that become equal have equal scores."""
        ...

    @property
    def target_reader(self) -> TargetReading | None:
        """How it answers towards targets; None for a model that was trained for texts only."""
        ...

    def classify(self, texts: Sequence[str]) -> list[Scores]:
        """Return the scores of each raw text, in the order given."""
        ...

    @property
    def characters_per_token(self) -> int:
        """About how many characters of a text cost 1."""
        ...

    def sizes(self, texts: Sequence[str]) -> list[TextSize]:
        """Return what each raw text costs, by which texts are batched, and its windows."""
        ...


def softmax(logits: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return row-wise probabilities of shape (rows, labels)."""
    powers = np.exp(logits - logits.max(axis=1, keepdims=True))
    return cast(NDArray[np.float64], powers / powers.sum(axis=1, keepdims=True))
