"""Measure a model folder on labelled text: macro-F1, each class, confusion, calibration and speed.

    python training/evaluate.py LABELLED.tsv [--model sentiment_service/models/linear] [--errors 20]

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

from sentiment_service.classifier import LABELS, LINEAR_MODEL, LinearClassifier

Rows = NDArray[np.float64]
Classes = NDArray[np.int64]
_BINS = 10


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
    """Mean gap between confidence and accuracy over ten bins of equal width (Guo et al. 2017, eq. 3), in [0, 1]."""
    confidence, right = probabilities.max(axis=1), probabilities.argmax(axis=1) == truth
    bins = np.minimum((confidence * _BINS).astype(int), _BINS - 1)
    gaps = [abs(confidence[bins == b].mean() - right[bins == b].mean()) * (bins == b).mean() for b in set(bins)]
    return float(sum(gaps))


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


def speed(model: LinearClassifier, texts: Sequence[str]) -> float:
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


def report(model: LinearClassifier, labels: Sequence[str], texts: Sequence[str]) -> dict[str, Any]:
    """Return everything that this script prints."""
    truth = np.array([LABELS.index(label) for label in labels])
    scores = model.classify(texts)
    probabilities = np.array([[getattr(score, label) for label in LABELS] for score in scores])
    table = confusion(truth, probabilities.argmax(axis=1), len(LABELS))
    rows = class_scores(table).round(4).tolist()
    return {
        "model": f"{model.model.id} {model.model.version}",
        "texts": len(texts),
        **summary(truth, probabilities),
        "classes": {label: named(("precision", "recall", "f1"), row) for label, row in zip(LABELS, rows, strict=True)},
        "confusion": {label: named(LABELS, row) for label, row in zip(LABELS, table.tolist(), strict=True)},
        "texts_per_second": round(speed(model, texts)),
    }


def main() -> None:
    """Print the report, and the most confident errors on request."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("labelled", type=Path)
    parser.add_argument("--model", type=Path, default=LINEAR_MODEL)
    parser.add_argument("--errors", type=int, default=0, help="print this many confident errors")
    options = parser.parse_args()
    model = LinearClassifier.load(options.model)
    labels, texts = read_labelled(options.labelled)
    print(json.dumps(report(model, labels, texts), indent=2, ensure_ascii=False))
    wrong = [row for row in zip(model.classify(texts), labels, texts, strict=True) if row[0].label != row[1]]
    for score, label, text in sorted(wrong, key=lambda row: -row[0].confidence)[: options.errors]:
        print(f"{label} taken for {score.label} ({score.confidence:.2f}): {text}")


if __name__ == "__main__":
    main()
