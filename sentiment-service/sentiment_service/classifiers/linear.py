"""The linear model that ships with the service."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from castor_chassis import ModelFolder
from sentiment_service.classifiers.base import LABELS, REMEDY, ModelCard, Scores, TextSize, softmax
from sentiment_service.classifiers.linear_features import FeatureSpace, Floats, Lexicon
from sentiment_service.text.normalise import normalise

LINEAR_MODEL = Path(__file__).parents[1] / "models" / "linear"
_CHUNK = 512


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
            ModelArtifactError: A file is missing, damaged or of another model, or the labels are not LABELS.
        """
        artifacts = ModelFolder(folder, REMEDY)
        manifest = artifacts.manifest()
        files = artifacts.files(manifest)
        try:
            return cls._assemble(manifest, files)
        except (KeyError, TypeError, ValueError) as error:
            raise artifacts.error(f"the model in {folder} has an unexpected layout: {error}") from error

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
        return cls(ModelCard.of(manifest, files), space, word_idf, char_idf, weights, intercept, temperature)

    @property
    def prepare(self) -> Callable[[str], str]:
        """How a raw text is written before its features are counted."""
        return normalise

    @property
    def target_reader(self) -> None:
        """The model answers for texts only."""
        return None

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

    def sizes(self, texts: Sequence[str]) -> list[TextSize]:
        """Return the length of each raw text, so that a batch has texts enough to be worth its call; one window."""
        return [TextSize(1 + len(text) // self.characters_per_token) for text in texts]

    def probabilities(self, texts: Sequence[str]) -> NDArray[np.float64]:
        """Return shape (texts, labels): columns in the order of `model.labels`, each row sums to 1."""
        matrix = self.space.matrix(texts, self.word_idf, self.char_idf)
        return softmax((matrix @ self.weights + self.intercept) / self.temperature)


def _settings(features: dict[str, Any]) -> dict[str, Any]:
    return {name: tuple(value) if isinstance(value, list) else value for name, value in features.items()}
