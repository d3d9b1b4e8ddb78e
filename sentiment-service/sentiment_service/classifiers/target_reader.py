"""Sentiment towards a target, from a network that was trained to answer for texts and for pairs of target and text."""

from __future__ import annotations

from collections.abc import Callable, Sequence, Sized
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from sentiment_service.classifiers.base import LABELS, Scores, TargetedText, TextSize, softmax
from sentiment_service.classifiers.tokenization import FileTokenizer
from sentiment_service.text.marking import OPEN, marked
from sentiment_service.text.normalise import normalise, sentences

Rows = NDArray[np.float64]
Combine = Callable[[Sequence[Rows], Sequence[int]], Rows]
# A control character, which no normalised text has.
_SEPARATOR = "\x1f"


@dataclass(frozen=True, slots=True)
class Calibration:
    """How logits towards a target become calibrated ones: `scale * logits + bias`; `bias` in the order of LABELS."""

    scale: float
    bias: tuple[float, ...]

    def __call__(self, logits: Rows) -> Rows:
        """Return logits of the same shape."""
        return np.asarray(self.scale * logits + np.asarray(self.bias))


@dataclass(frozen=True, slots=True)
class TargetReader:
    """Reads pairs as ``<s> target </s> text with [ target ] marked </s>``.

    Of a text longer than a window only the sentences that name the target are read. ``logits`` runs encodings through
    the network (shape (encodings, LABELS)); ``combine`` adds up the windows of a text.
    """

    tokenizer: FileTokenizer
    logits: Callable[[Sequence[Sized]], Rows]
    combine: Combine
    calibration: Calibration

    def prepare(self, pair: TargetedText) -> str:
        """Return how a pair is written: pairs that become equal have equal scores."""
        return f"{normalise(pair.target)}{_SEPARATOR}{marked(pair.text, pair.target)}"

    def classify(self, pairs: Sequence[TargetedText]) -> list[Scores]:
        """Return the scores of each pair, in the order given; an empty list for no pairs."""
        windows = self._windows(pairs)
        together = [window for some in windows for window in some]
        rows = iter(softmax(self.calibration(self.logits(together))) if together else ())
        found = [self.combine([next(rows) for _ in some], list(map(len, some))) for some in windows]
        return [Scores(*row) for row in np.array(found).reshape(-1, len(LABELS)).tolist()]

    def sizes(self, pairs: Sequence[TargetedText]) -> list[TextSize]:
        """Return the tokens of each pair, the special ones included, and its windows."""
        return [TextSize(sum(map(len, windows)), len(windows)) for windows in self._windows(pairs)]

    def _windows(self, pairs: Sequence[TargetedText]) -> list[Sequence[Sized]]:
        prepared = [self._parts(pair) for pair in pairs]
        whole = self.tokenizer.encode_pairs(prepared)
        return [
            windows if len(windows) == 1 else self._of_sentences(target, text, windows)
            for (target, text), windows in zip(prepared, whole, strict=True)
        ]

    def _parts(self, pair: TargetedText) -> tuple[str, str]:
        target, text = self.prepare(pair).split(_SEPARATOR)
        return target, text

    def _of_sentences(self, target: str, text: str, whole: Sequence[Sized]) -> Sequence[Sized]:
        naming = [(target, sentence) for sentence in sentences(text) if OPEN in sentence]
        return [window for windows in self.tokenizer.encode_pairs(naming) for window in windows] or whole
