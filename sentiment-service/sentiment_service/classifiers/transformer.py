"""A transformer in ONNX: raw texts to probabilities on the CPU, without torch."""

from __future__ import annotations

from collections.abc import Callable, Sequence, Sized
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

import numpy as np
import onnxruntime as ort
from numpy.typing import NDArray

from castor_chassis import ModelArtifactError, ModelFolder
from sentiment_service.classifiers.base import LABELS, REMEDY, Label, ModelCard, Scores, TextSize, softmax
from sentiment_service.classifiers.linear import LinearClassifier
from sentiment_service.classifiers.onnx_runtime import cpu_limit, runs, session
from sentiment_service.classifiers.target_reader import Calibration, TargetReader
from sentiment_service.classifiers.tokenization import FileTokenizer, Tokenizer
from sentiment_service.text.normalise import handles, normalise, plain, robertuito, sentences

Rows = NDArray[np.float64]
PREPARE: dict[str, Callable[[str], str]] = {
    "castor": normalise,
    "handles": handles,
    "robertuito": robertuito,
    "none": plain,
}
MODEL_FILE = "model.onnx"
TOKENIZER_FILE = "tokenizer.json"
# Of a token of a window that is all neutral, so that the weights of a text never add up to 0.
_LEAST_WEIGHT = 1e-6


@dataclass(frozen=True, slots=True)
class Blend:
    """How the logarithms of two models' probabilities add up to logits: fitted, so the result is calibrated.

    `bias` has one value for each of LABELS.
    """

    transformer: float
    linear: float
    bias: tuple[float, ...]

    def logits(self, transformer: Rows, linear: Rows | None) -> Rows:
        """Return logits of shape (texts, labels) from probabilities of that shape."""
        mixed = self.transformer * np.log(np.maximum(transformer, 1e-9)) + np.asarray(self.bias)
        if linear is not None:
            mixed += self.linear * np.log(np.maximum(linear, 1e-9))
        return np.asarray(mixed)


@dataclass(frozen=True, slots=True)
class TransformerClassifier:
    """An ONNX session, its tokenizer, and where the folder says so a linear model whose answer is mixed in.

    ``outputs`` is the label of each output of the network; several may have one label. With ``towards`` the network has
    three more outputs, the labels towards a target, in the order of LABELS. Texts run in batches of equal length. A
    text longer than the tokenizer's windows is read sentence by sentence, a sentence longer than a window in several;
    ``combined`` says how they add up.
    """

    model: ModelCard
    tokenizer: Tokenizer
    session: ort.InferenceSession
    prepare: Callable[[str], str]
    outputs: tuple[Label, ...]
    blend: Blend | None = None
    linear: LinearClassifier | None = None
    towards: Calibration | None = None

    @classmethod
    def load(cls, folder: Path, *, threads: int | None = None, linear: LinearClassifier | None = None) -> Self:
        """Read a model folder and check every file; ``threads`` defaults to the processors that this process may use.

        Raises:
            ModelArtifactError: A file is missing, damaged or of another model, or the labels are not LABELS.
        """
        artifacts = ModelFolder(folder, REMEDY)
        manifest = artifacts.manifest()
        files = artifacts.files(manifest)
        try:
            return cls._assemble(manifest, files, threads or cpu_limit(), linear)
        except ModelArtifactError:
            raise
        # The tokenizer and the runtime raise errors of their own making, with no base but Exception.
        except Exception as error:
            raise artifacts.error(f"the model in {folder} has an unexpected layout: {error}") from error

    @classmethod
    def _assemble(
        cls, manifest: dict[str, Any], files: dict[str, bytes], threads: int, linear: LinearClassifier | None
    ) -> Self:
        blend = _blend(manifest, linear)
        card = ModelCard.of(manifest, files)
        return cls(
            model=card,
            tokenizer=FileTokenizer.parse(
                files[TOKENIZER_FILE].decode(), max_tokens=int(manifest["max_tokens"]), pad_id=int(manifest["pad_id"])
            ),
            session=session(files[MODEL_FILE], threads),
            prepare=PREPARE[manifest["prepare"]],
            outputs=card.labels,
            blend=blend,
            linear=linear if blend else None,
            towards=_calibration(manifest),
        )

    @property
    def target_reader(self) -> TargetReader | None:
        """How the model answers towards targets, if it was trained to."""
        if self.towards is None or not isinstance(self.tokenizer, FileTokenizer):
            return None
        return TargetReader(self.tokenizer, self._target_logits, combined, self.towards)

    def classify(self, texts: Sequence[str]) -> list[Scores]:
        """Return the scores of each raw text, in the order given; an empty list for no texts."""
        return [Scores(*row) for row in self.probabilities(texts).tolist()]

    def probabilities(self, texts: Sequence[str]) -> Rows:
        """Return shape (texts, LABELS); each row sums to 1."""
        alone = self._network(texts)
        if self.blend is None or not texts:
            return alone
        linear = None if self.linear is None else _by_label(self.linear.probabilities(texts), self.linear.model.labels)
        return softmax(self.blend.logits(alone, linear))

    @property
    def characters_per_token(self) -> int:
        """About how many characters of a text cost 1."""
        return 4

    def sizes(self, texts: Sequence[str]) -> list[TextSize]:
        """Return the tokens of each raw text, the special ones included, and its windows."""
        return [TextSize(sum(map(len, windows)), len(windows)) for windows in self._windows(texts)]

    def _windows(self, texts: Sequence[str]) -> list[Sequence[Sized]]:
        prepared = [self.prepare(text) for text in texts]
        whole = self.tokenizer.encode(prepared)
        return [
            windows if len(windows) == 1 else self._by_sentence(text)
            for text, windows in zip(prepared, whole, strict=True)
        ]

    def _by_sentence(self, text: str) -> list[Sized]:
        return [window for windows in self.tokenizer.encode(sentences(text)) for window in windows]

    def logits(self, texts: Sequence[str]) -> Rows:
        """Return the network's own answers, not blended, as logarithms of probabilities; shape (texts, LABELS)."""
        return np.log(self._network(texts))

    def _network(self, texts: Sequence[str]) -> Rows:
        windows = self._windows(texts)
        rows = iter(softmax(self._logits([window for some in windows for window in some])))
        found = [combined([next(rows) for _ in some], list(map(len, some))) for some in windows]
        return np.array(found).reshape(-1, len(LABELS))

    def _logits(self, encodings: Sequence[Sized]) -> Rows:
        return _by_label(self._outputs(encodings)[:, : len(self.outputs)], self.outputs)

    def _target_logits(self, encodings: Sequence[Sized]) -> Rows:
        return self._outputs(encodings)[:, len(self.outputs) :]

    def _outputs(self, encodings: Sequence[Sized]) -> Rows:
        width = len(self.outputs) + (len(LABELS) if self.towards else 0)
        logits = np.zeros((len(encodings), width))
        for rows in runs([len(encoding) for encoding in encodings]):
            logits[rows] = self._run([encodings[row] for row in rows])[:, :width]
        return logits

    def _run(self, encodings: Sequence[Sized]) -> Rows:
        known = self.tokenizer.arrays(encodings)
        feed = {entry.name: known[entry.name] for entry in self.session.get_inputs()}
        return np.asarray(self.session.run(None, feed)[0], dtype=np.float64)


def combined(windows: Sequence[NDArray[np.float64]], tokens: Sequence[int]) -> NDArray[np.float64]:
    """Return the probabilities of a text from those of its windows (in the order of LABELS).

    They are averaged with the weights `tokens * (1 - p(neutral))`: what says nothing for or against counts little
    beside what does. The order of the windows makes no difference.
    """
    if len(windows) == 1:
        return windows[0]
    rows = np.array(sorted(map(tuple, np.column_stack([windows, tokens]).tolist())))
    weights = rows[:, -1] * (1 - rows[:, LABELS.index("neutral")] + _LEAST_WEIGHT)
    return np.asarray(weights @ rows[:, :-1] / weights.sum())


def _blend(manifest: dict[str, Any], linear: LinearClassifier | None) -> Blend | None:
    given = manifest.get("blend")
    if given is None:
        return None
    wanted = given.get("with")
    if wanted is not None:
        found = "none" if linear is None else f"{linear.model.id} {linear.model.version}"
        if wanted != found:
            raise ModelArtifactError(f"The model was fitted beside {wanted}, but beside it is {found}; {REMEDY}.")
    return Blend(float(given["transformer"]), float(given["linear"]), tuple(given["bias"]))


def _calibration(manifest: dict[str, Any]) -> Calibration | None:
    given = manifest.get("towards")
    return None if given is None else Calibration(float(given["scale"]), tuple(given["bias"]))


def _by_label(logits: Rows, outputs: Sequence[Label]) -> Rows:
    """Return shape (texts, LABELS); the probabilities of outputs with one label add up."""
    if len(outputs) == len(LABELS):
        return np.asarray(logits[:, [outputs.index(label) for label in LABELS]])
    groups = [[column for column, output in enumerate(outputs) if output == label] for label in LABELS]
    return np.stack([np.logaddexp.reduce(logits[:, group], axis=1) for group in groups], axis=1)
