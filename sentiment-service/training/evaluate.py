"""Measure a model, named as in SENTIMENT_MODEL, on labelled text: macro-F1, classes, confusion, calibration, speed.

    python training/evaluate.py LABELLED.tsv [--model bundled] [--errors 20]

LABELLED.tsv has one `label TAB text` per line. Prints JSON.
"""

import argparse
import json
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sentiment_service.classifiers.base import LABELS, Classifier
from sentiment_service.classifiers.loader import load_model

Rows = NDArray[np.float64]
Classes = NDArray[np.int64]
_BINS = 15
_SIMULATIONS = 300


def read_labelled(path: Path) -> tuple[list[str], list[str]]:
    """Return labels and texts of a file with one `label TAB text` per line."""
    rows = [line.split("\t", 1) for line in path.read_text(encoding="utf-8").splitlines() if line.strip()]
    return [label for label, _ in rows], [text for _, text in rows]


def confusion(truth: Classes, answer: Classes, classes: int) -> Classes:
    """Return counts of shape (classes, classes): row = truth, column = answer."""
    table = np.zeros((classes, classes), dtype=np.int64)
    np.add.at(table, (truth, answer), 1)
    return table


def class_scores(table: Classes) -> Rows:
    """Return precision, recall and F1 of each class, shape (classes, 3); 0 where undefined."""
    hits = np.diag(table).astype(float)
    precision = hits / np.maximum(table.sum(axis=0), 1)
    recall = hits / np.maximum(table.sum(axis=1), 1)
    f1 = 2 * precision * recall / np.maximum(precision + recall, 1e-12)
    return np.stack([precision, recall, f1], axis=1)


def expected_calibration_error(truth: Classes, probabilities: Rows) -> float:
    """Mean gap between confidence and accuracy over 15 bins of equal width (Guo et al. 2017, eq. 3), in [0, 1]."""
    confidence, right = probabilities.max(axis=1), probabilities.argmax(axis=1) == truth
    bins = np.minimum((confidence * _BINS).astype(int), _BINS - 1)
    gaps = [abs(confidence[bins == b].mean() - right[bins == b].mean()) * (bins == b).mean() for b in set(bins)]
    return float(sum(gaps))


def calibration_floor(probabilities: Rows) -> float:
    """Return the calibration error that a perfectly calibrated model would show on as many texts.

    Labels are drawn from the probabilities themselves; what remains is the noise of small bins (Roelofs et al. 2022).
    """
    random = np.random.default_rng(0)
    errors = []
    for _ in range(_SIMULATIONS):
        drawn = (probabilities.cumsum(axis=1) < random.random((len(probabilities), 1))).sum(axis=1)
        errors.append(expected_calibration_error(np.minimum(drawn, probabilities.shape[1] - 1), probabilities))
    return float(np.mean(errors))


def summary(truth: Classes, probabilities: Rows) -> dict[str, float]:
    """Return macro-F1, accuracy, log loss (nats) and calibration error."""
    table = confusion(truth, probabilities.argmax(axis=1), probabilities.shape[1])
    right = probabilities[np.arange(len(truth)), truth]
    figures = {
        "macro_f1": class_scores(table)[:, 2].mean(),
        "accuracy": np.trace(table) / table.sum(),
        "log_loss": -np.log(np.maximum(right, 1e-12)).mean(),
        "expected_calibration_error": expected_calibration_error(truth, probabilities),
    }
    return {name: round(float(value), 4) for name, value in figures.items()}


def speed(model: Classifier, texts: Sequence[str]) -> float:
    """Return texts scored per second in one thread, the best of three passes."""
    seconds = []
    for _ in range(3):
        start = time.perf_counter()
        model.classify(texts)
        seconds.append(time.perf_counter() - start)
    return len(texts) / min(seconds)


def named(names: Sequence[str], row: Sequence[float]) -> dict[str, float]:
    """Return a table row under the names of its columns."""
    return dict(zip(names, row, strict=True))


def probabilities_of(model: Classifier, texts: Sequence[str]) -> Rows:
    """Return shape (texts, LABELS)."""
    return np.array([[getattr(score, label) for label in LABELS] for score in model.classify(texts)])


def report(model: Classifier, labels: Sequence[str], texts: Sequence[str]) -> dict[str, Any]:
    """Return everything that this script prints."""
    truth = np.array([LABELS.index(label) for label in labels])
    probabilities = probabilities_of(model, texts)
    table = confusion(truth, probabilities.argmax(axis=1), len(LABELS))
    rows = class_scores(table).round(4).tolist()
    return {
        "model": f"{model.model.id} {model.model.version}",
        "texts": len(texts),
        **summary(truth, probabilities),
        "calibration_floor": round(calibration_floor(probabilities), 4),
        "classes": {label: named(("precision", "recall", "f1"), row) for label, row in zip(LABELS, rows, strict=True)},
        "confusion": {label: named(LABELS, row) for label, row in zip(LABELS, table.tolist(), strict=True)},
        "texts_per_second": round(speed(model, texts)),
    }


def main() -> None:
    """Print the report, and the most confident errors on request."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("labelled", type=Path)
    parser.add_argument("--model", default="bundled")
    parser.add_argument("--errors", type=int, default=0, help="print this many confident errors")
    options = parser.parse_args()
    model = load_model(options.model)
    labels, texts = read_labelled(options.labelled)
    print(json.dumps(report(model, labels, texts), indent=2, ensure_ascii=False))
    wrong = [row for row in zip(model.classify(texts), labels, texts, strict=True) if row[0].label != row[1]]
    for score, label, text in sorted(wrong, key=lambda row: -row[0].confidence)[: options.errors]:
        print(f"{label} taken for {score.label} ({score.confidence:.2f}): {text}")


if __name__ == "__main__":
    main()
