"""What a sentiment model is to the service, and the linear model that ships with it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from io import BytesIO
from pathlib import Path
from typing import Any, Literal, Protocol, Self, cast

import numpy as np
from numpy.typing import NDArray

from sentiment_service.classifiers.artifacts import REMEDY, ModelError, read_files, read_manifest
from sentiment_service.classifiers.linear_features import FeatureSpace, Floats, Lexicon

Label = Literal["positive", "neutral", "negative"]
LABELS: tuple[Label, ...] = ("positive", "neutral", "negative")
LINEAR_MODEL = Path(__file__).parents[1] / "models" / "linear"
_CHUNK = 512


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
class ModelCard:
    """What a model says about itself: identity, languages, and how well it did on texts that it never saw.

    `measured_languages` are those of its languages in which somebody measured how well it does.
    `calibration` are measures of how far its probabilities can be believed. `reference` is what it answers on a stated
    set of texts: the share of each label under `labels`, and under `confidence` the share of answers in each of ten
    bins of equal width; a service compares its own traffic with it to see drift.
    """

    id: str
    version: str
    languages: tuple[str, ...]
    labels: tuple[Label, ...]
    held_out: Mapping[str, float] = field(default_factory=dict)
    calibration: Mapping[str, float] = field(default_factory=dict)
    reference: Mapping[str, Any] = field(default_factory=dict)
    measured_languages: tuple[str, ...] = ()

    @classmethod
    def of(cls, manifest: Mapping[str, Any]) -> Self:
        """Read the card in a manifest; raises ``KeyError`` or ``ValueError`` where it is none."""
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
        )


class Classifier(Protocol):
    """Any sentiment model: immutable once loaded, so safe to use from several threads."""

    @property
    def model(self) -> ModelCard:
        """Identity and measured quality."""
        ...

    def classify(self, texts: Sequence[str]) -> list[Scores]:
        """Return the scores of each raw text, in the order given."""
        ...

    @property
    def characters_per_token(self) -> int:
        """About how many characters of a text cost 1."""
        ...

    def lengths(self, texts: Sequence[str]) -> list[int]:
        """Return what each raw text costs: tokens as the model reads them, at least 1; texts are batched by it."""
        ...


@dataclass(frozen=True, slots=True)
class LinearClassifier:
    """Multinomial logistic regression over `FeatureSpace`, with one temperature for calibrated probabilities.

    In the file, weights are int8 columns with one scale for each class; here they have shape (features, labels), in
    the order of `model.labels`.
    """

    model: ModelCard
    space: FeatureSpace
    word_idf: Floats
    char_idf: Floats
    weights: NDArray[np.float64]
    intercept: Floats
    temperature: float

    @classmethod
    def load(cls, folder: Path = LINEAR_MODEL) -> Self:
        """Read a model folder and check every file against its manifest.

        Raises:
            ModelError: A file is missing, damaged or of another model, or the labels are not LABELS.
        """
        manifest = read_manifest(folder)
        files = read_files(folder, manifest)
        try:
            return cls._assemble(manifest, files)
        except (KeyError, TypeError, ValueError) as error:
            raise ModelError(f"The model in {folder} has an unexpected layout: {error}; {REMEDY}.") from error

    @classmethod
    def _assemble(cls, manifest: dict[str, Any], files: dict[str, bytes]) -> Self:
        space = FeatureSpace(Lexicon.parse(files["lexicon.txt"].decode()), **_settings(manifest["features"]))
        with np.load(BytesIO(files["weights.npz"]), allow_pickle=False) as arrays:
            scaled = arrays["coefficients"].astype(np.float32) * arrays["scale"][:, None]
            word_idf, char_idf = (arrays[name].astype(np.float32) for name in ("word_idf", "char_idf"))
            intercept, temperature = arrays["intercept"].astype(np.float32), float(arrays["temperature"])
        if scaled.shape != (len(LABELS), space.width):
            raise ValueError(f"weights of shape {scaled.shape}, expected {(len(LABELS), space.width)}")
        # As the product wants them, or each call would copy and widen all of them anew.
        weights = np.ascontiguousarray(scaled.T, dtype=np.float64)
        return cls(ModelCard.of(manifest), space, word_idf, char_idf, weights, intercept, temperature)

    @property
    def characters_per_token(self) -> int:
        """About how many characters of a text cost 1."""
        return 64

    def classify(self, texts: Sequence[str]) -> list[Scores]:
        """Return the scores of each raw text, in the order given; an empty list for no texts."""
        order = [self.model.labels.index(label) for label in LABELS]
        scores: list[Scores] = []
        for start in range(0, len(texts), _CHUNK):
            rows = self.probabilities(texts[start : start + _CHUNK])[:, order]
            scores.extend(Scores(*row) for row in rows.tolist())
        return scores

    def lengths(self, texts: Sequence[str]) -> list[int]:
        """Return the length of each raw text, so that a batch has texts enough to be worth its call."""
        return [1 + len(text) // self.characters_per_token for text in texts]

    def probabilities(self, texts: Sequence[str]) -> NDArray[np.float64]:
        """Return shape (texts, labels): columns in the order of `model.labels`, each row sums to 1."""
        matrix = self.space.matrix(texts, self.word_idf, self.char_idf)
        return softmax((matrix @ self.weights + self.intercept) / self.temperature)


def softmax(logits: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return row-wise probabilities of shape (rows, labels)."""
    powers = np.exp(logits - logits.max(axis=1, keepdims=True))
    return cast(NDArray[np.float64], powers / powers.sum(axis=1, keepdims=True))


def _settings(features: dict[str, Any]) -> dict[str, Any]:
    return {name: tuple(value) if isinstance(value, list) else value for name, value in features.items()}
