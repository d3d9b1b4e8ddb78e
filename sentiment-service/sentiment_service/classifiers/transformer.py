"""A transformer in ONNX: raw texts to probabilities on the CPU, without torch."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

import numpy as np
import onnxruntime as ort
from numpy.typing import NDArray
from tokenizers import Encoding, Tokenizer

from sentiment_service.classifiers.artifacts import REMEDY, ModelError, read_files, read_manifest
from sentiment_service.classifiers.base import LABELS, ModelCard, Scores, softmax
from sentiment_service.classifiers.linear import LinearClassifier
from sentiment_service.text.normalise import handles, normalise, robertuito

Rows = NDArray[np.float64]
PREPARE: dict[str, Callable[[str], str]] = {
    "castor": normalise,
    "handles": handles,
    "robertuito": robertuito,
    "none": str,
}
MODEL_FILE = "model.onnx"
TOKENIZER_FILE = "tokenizer.json"
# About what stays in a processor's cache: 5.5 ms of CPU a tweet with 256 tokens a run, 5.7 with 1024 (bundled model).
TOKENS_PER_RUN = 256
_CPU_QUOTA = Path("/sys/fs/cgroup/cpu.max")


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

    Texts run in batches of similar length. Tokens beyond `max_tokens` of a text are not read.
    """

    model: ModelCard
    tokenizer: Tokenizer
    session: ort.InferenceSession
    prepare: Callable[[str], str]
    pad_id: int
    blend: Blend | None = None
    linear: LinearClassifier | None = None

    @classmethod
    def load(cls, folder: Path, *, threads: int | None = None, linear: LinearClassifier | None = None) -> Self:
        """Read a model folder and check every file; ``threads`` defaults to the processors that this process may use.

        Raises:
            ModelError: A file is missing, damaged or of another model, or the labels are not LABELS.
        """
        manifest = read_manifest(folder)
        files = read_files(folder, manifest)
        try:
            return cls._assemble(manifest, files, threads or cpu_limit(), linear)
        except ModelError:
            raise
        # The tokenizer and the runtime raise errors of their own making, with no base but Exception.
        except Exception as error:
            raise ModelError(f"The model in {folder} has an unexpected layout: {error}; {REMEDY}.") from error

    @classmethod
    def _assemble(
        cls, manifest: dict[str, Any], files: dict[str, bytes], threads: int, linear: LinearClassifier | None
    ) -> Self:
        blend = _blend(manifest, linear)
        tokenizer = Tokenizer.from_str(files[TOKENIZER_FILE].decode())
        tokenizer.no_padding()
        tokenizer.enable_truncation(int(manifest["max_tokens"]))
        return cls(
            model=ModelCard.of(manifest),
            tokenizer=tokenizer,
            session=session(files[MODEL_FILE], threads),
            prepare=PREPARE[manifest["prepare"]],
            pad_id=int(manifest["pad_id"]),
            blend=blend,
            linear=linear if blend else None,
        )

    def classify(self, texts: Sequence[str]) -> list[Scores]:
        """Return the scores of each raw text, in the order given; an empty list for no texts."""
        return [Scores(*row) for row in self.probabilities(texts).tolist()]

    def probabilities(self, texts: Sequence[str]) -> Rows:
        """Return shape (texts, LABELS); each row sums to 1."""
        alone = softmax(self.logits(texts))
        if self.blend is None or not texts:
            return alone
        linear = None if self.linear is None else _in_order(self.linear.probabilities(texts), self.linear.model)
        return softmax(self.blend.logits(alone, linear))

    @property
    def characters_per_token(self) -> int:
        """About how many characters of a text cost 1."""
        return 4

    def lengths(self, texts: Sequence[str]) -> list[int]:
        """Return the tokens of each raw text that the network reads."""
        return [len(encoding) for encoding in self._encode(texts)]

    def _encode(self, texts: Sequence[str]) -> list[Encoding]:
        return list(self.tokenizer.encode_batch_fast([self.prepare(text) for text in texts]))

    def logits(self, texts: Sequence[str]) -> Rows:
        """Return the network's own logits, shape (texts, LABELS)."""
        encodings = self._encode(texts)
        logits = np.zeros((len(texts), len(self.model.labels)))
        for rows in runs([len(encoding) for encoding in encodings]):
            logits[rows] = self._run([encodings[row] for row in rows])
        return _in_order(logits, self.model)

    def _run(self, encodings: Sequence[Encoding]) -> Rows:
        width = max(len(encoding) for encoding in encodings)
        ids = np.full((len(encodings), width), self.pad_id, dtype=np.int64)
        mask = np.zeros((len(encodings), width), dtype=np.int64)
        for row, encoding in enumerate(encodings):
            ids[row, : len(encoding)] = encoding.ids
            mask[row, : len(encoding)] = 1
        known = {"input_ids": ids, "attention_mask": mask, "token_type_ids": np.zeros_like(ids)}
        feed = {entry.name: known[entry.name] for entry in self.session.get_inputs()}
        return np.asarray(self.session.run(None, feed)[0], dtype=np.float64)


def runs(lengths: Sequence[int], budget: int = TOKENS_PER_RUN) -> Iterator[list[int]]:
    """Yield the indexes of each run: similar lengths together, at most ``budget`` tokens with padding (or one text)."""
    run: list[int] = []
    for row in sorted(range(len(lengths)), key=lengths.__getitem__):
        if run and (len(run) + 1) * lengths[row] > budget:
            yield run
            run = []
        run.append(row)
    if run:
        yield run


def cpu_limit() -> int:
    """Return how many processors this process may keep busy: its affinity, or less where a cgroup says so."""
    allowed = len(os.sched_getaffinity(0))
    try:
        quota, period = _CPU_QUOTA.read_text(encoding="ascii").split()
        return max(1, min(allowed, int(quota) // int(period)))
    except (OSError, ValueError):  # no cgroup, or `max`
        return allowed


def session(model: bytes, threads: int) -> ort.InferenceSession:
    """Return a session of ``threads`` threads that do not spin while they wait: others need the processors."""
    options = ort.SessionOptions()
    options.intra_op_num_threads = threads
    options.inter_op_num_threads = 1
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    options.log_severity_level = 3
    return ort.InferenceSession(model, options, providers=["CPUExecutionProvider"])


def _blend(manifest: dict[str, Any], linear: LinearClassifier | None) -> Blend | None:
    given = manifest.get("blend")
    if given is None:
        return None
    wanted = given.get("with")
    if wanted is not None:
        found = "none" if linear is None else f"{linear.model.id} {linear.model.version}"
        if wanted != found:
            raise ModelError(f"The model was fitted beside {wanted}, but beside it is {found}; {REMEDY}.")
    return Blend(float(given["transformer"]), float(given["linear"]), tuple(given["bias"]))


def _in_order(columns: Rows, card: ModelCard) -> Rows:
    return np.asarray(columns[:, [card.labels.index(label) for label in LABELS]])
