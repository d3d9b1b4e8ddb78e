"""Has the traffic, or the model's view of it, moved away from what the model's card was written on?

Measured by the population stability index, the sum of (share - reference) * ln(share / reference) over bins. The rule
of thumb: below 0.1 nothing, above 0.25 look into it.
"""

from __future__ import annotations

import math
from collections import Counter, deque
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from sentiment_service.classifier import LABELS, Scores
from sentiment_service.metrics import DRIFT

BINS = 10
WINDOW = 2000
# Below this many texts the index of ten bins is mostly noise: about bins / texts.
LEAST = 200
# An empty bin would make the index infinite.
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
    answered = list(scores)
    labels, bins = Counter(one.label for one in answered), Counter(map(confidence_bin, answered))
    return {
        "labels": {label: round(labels[label] / len(answered), 4) for label in LABELS},
        "confidence": [round(bins[number] / len(answered), 4) for number in range(BINS)],
    }


class Drift:
    """The last answers of one model beside its reference; a model without a reference is not watched."""

    def __init__(self, reference: Mapping[str, Any]) -> None:
        self._labels = reference.get("labels")
        self._confidence = reference.get("confidence")
        self._last: deque[Scores] = deque(maxlen=WINDOW)

    def note(self, scores: Sequence[Scores]) -> None:
        """Add answers, and set the gauges once there are enough."""
        self._last.extend(scores)
        if len(self._last) < LEAST or not scores:
            return
        found = reference_of(self._last)
        if self._labels:
            shares = [list(map(shares.__getitem__, LABELS)) for shares in (found["labels"], self._labels)]
            DRIFT.labels("label").set(stability_index(*shares))
        if self._confidence:
            DRIFT.labels("confidence").set(stability_index(found["confidence"], self._confidence))
