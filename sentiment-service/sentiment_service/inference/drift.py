"""Drift: how far the last answers are from the reference distribution in the model's manifest.

The measure is the population stability index, the sum of (share - reference) * ln(share / reference) over bins. Rule
of thumb: below 0.1 there is no drift; above 0.25 it should be looked into.
"""

from __future__ import annotations

import math
from collections import Counter, deque
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from sentiment_service.classifiers.base import LABELS, Scores
from sentiment_service.metrics import DRIFT

BINS = 10
WINDOW = 2000
# With fewer texts the index of ten bins is mostly noise: about bins / texts.
LEAST = 200
# Instead of 0 for an empty bin, which would make the index infinite.
_FLOOR = 1e-4


def stability_index(shares: Sequence[float], reference: Sequence[float]) -> float:
    """Return the population stability index of two distributions over the same bins."""
    pairs = [(max(one, _FLOOR), max(other, _FLOOR)) for one, other in zip(shares, reference, strict=True)]
    return sum((one - other) * math.log(one / other) for one, other in pairs)


def confidence_bin(scores: Scores) -> int:
    """Return the bin, of ten of equal width, that the confidence is in."""
    return min(BINS - 1, int(scores.confidence * BINS))


def reference_of(scores: Iterable[Scores]) -> dict[str, Any]:
    """Return the shares of labels and of confidence bins, as a manifest holds them."""
    answered = Counter(_bin_of(one) for one in scores)
    return _shares(answered, answered.total())


def _bin_of(scores: Scores) -> tuple[str, int]:
    return scores.label, confidence_bin(scores)


def _shares(counts: Counter[tuple[str, int]], total: int) -> dict[str, Any]:
    labels: Counter[str] = Counter()
    bins: Counter[int] = Counter()
    for (label, number), count in counts.items():
        labels[label] += count
        bins[number] += count
    return {
        "labels": {label: round(labels[label] / total, 4) for label in LABELS},
        "confidence": [round(bins[number] / total, 4) for number in range(BINS)],
    }


class Drift:
    """Compares the last answers of one model with its reference; a model without a reference is not compared."""

    def __init__(self, reference: Mapping[str, Any]) -> None:
        self._labels: Mapping[str, float] = reference.get("labels") or {}
        self._confidence: Sequence[float] = reference.get("confidence") or ()
        # Kept up to date with each answer: most requests have one text, and counting 2,000 each time costs more.
        self._last: deque[tuple[str, int]] = deque()
        self._counts: Counter[tuple[str, int]] = Counter()
        self._shown = False

    def note(self, scores: Sequence[Scores]) -> None:
        """Add answers; once there are enough, the gauges compute the index whenever they are read."""
        for key in map(_bin_of, scores):
            self._last.append(key)
            self._counts[key] += 1
            if len(self._last) > WINDOW:
                self._counts[self._last.popleft()] -= 1
        if not self._shown and len(self._last) >= LEAST:
            self._show()

    def _show(self) -> None:
        self._shown = True
        if self._labels:
            DRIFT.labels("label").set_function(self._label_index)
        if self._confidence:
            DRIFT.labels("confidence").set_function(self._confidence_index)

    def _label_index(self) -> float:
        found = _shares(self._counts, len(self._last))["labels"]
        return stability_index(*(list(map(shares.__getitem__, LABELS)) for shares in (found, self._labels)))

    def _confidence_index(self) -> float:
        return stability_index(_shares(self._counts, len(self._last))["confidence"], self._confidence)
