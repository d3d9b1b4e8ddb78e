"""Measure a model, named as in SENTIMENT_MODEL, on the yardstick and on pairs of public sets.

    python training/yardstick/measure.py DRAWN [--model bundled] [--pairs FILE.tsv …]

DRAWN is what ``draw.py`` wrote: the texts, which the repository does not hold. Labels come from ``texts.tsv`` and
``pairs.tsv`` beside this file, matched by the digest of each row. ``--pairs`` are files of pairs with a header
(``sources.read_pairs``), of which the rows kept for measuring are taken. Prints JSON: for texts macro-F1, accuracy and
calibration; for pairs the accuracy of the answer towards the target and of the label of the whole text.
"""

import argparse
import csv
import hashlib
import json
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parents[1]))

import numpy as np
from evaluate import probabilities_of, summary  # type: ignore[import-not-found, unused-ignore]
from sources import Row, read_pairs  # type: ignore[import-not-found, unused-ignore]

from sentiment_service.classifiers.base import LABELS, Classifier
from sentiment_service.classifiers.loader import load_model
from sentiment_service.inference.questions import classify
from sentiment_service.targets.assess import assess
from sentiment_service.targets.model import PendingTarget
from sentiment_service.targets.service import ask_model


def labelled(drawn: Path, name: str) -> Iterator[tuple[str, list[str]]]:
    """Yield (label, columns after the id) of the rows of a drawn file."""
    with (Path(__file__).parent / name).open(encoding="utf-8") as lines:
        labels = {row["digest"]: row["label"] for row in csv.DictReader(lines, delimiter="\t")}
    for line in (drawn / name).read_text(encoding="utf-8").splitlines():
        _, _, *columns = line.split("\t")
        yield labels[hashlib.sha256("\t".join(columns).encode()).hexdigest()[:24]], columns


def texts_report(model: Classifier, rows: Sequence[tuple[str, str]]) -> dict[str, Any]:
    """Return the scores on (label, text)."""
    truth = np.array([LABELS.index(label) for label, _ in rows])
    return {"n": len(rows), **summary(truth, probabilities_of(model, [text for _, text in rows]))}


def towards(model: Classifier, text: str, target: str, others: Sequence[str]) -> str:
    """Return the label towards a target, as the service answers."""
    found = (ask_model if model.target_reader else assess)(text, target, others)
    if isinstance(found, PendingTarget):
        return classify(model, [found.question])[0].label
    return "absent" if found.scores is None else found.scores.label


def pairs_report(model: Classifier, rows: Sequence[Row]) -> dict[str, Any]:
    """Return the accuracy of two answers to the same pairs."""
    targets: dict[str, list[str]] = {}
    for row in rows:
        targets.setdefault(row.text, []).append(row.target)
    own = [towards(model, r.text, r.target, [t for t in targets[r.text] if t != r.target]) for r in rows]
    whole = [scores.label for scores in model.classify([row.text for row in rows])]
    labels: dict[str, set[str]] = {}
    for row in rows:
        labels.setdefault(row.text, set()).add(row.label)
    differing = [at for at, row in enumerate(rows) if len(labels[row.text]) > 1]
    return {
        "n": len(rows),
        "target": accuracy(rows, own, range(len(rows))),
        "whole_text": accuracy(rows, whole, range(len(rows))),
        "differing": len(differing),
        "target_where_they_differ": accuracy(rows, own, differing),
        "whole_text_where_they_differ": accuracy(rows, whole, differing),
    }


def accuracy(rows: Sequence[Row], answers: Sequence[str], chosen: Sequence[int]) -> float:
    """Return the share of right answers."""
    return round(float(np.mean([rows[at].label == answers[at] for at in chosen])), 4) if len(chosen) else 0.0


def main() -> None:
    """Read the options and print the report."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("drawn", type=Path)
    parser.add_argument("--model", default="bundled")
    parser.add_argument("--pairs", type=Path, nargs="*", default=[])
    options = parser.parse_args()
    model = load_model(options.model)
    texts = [(label, columns[0]) for label, columns in labelled(options.drawn, "texts.tsv")]
    pairs = [Row(label, columns[1], columns[0], "yardstick") for label, columns in labelled(options.drawn, "pairs.tsv")]
    report = {"texts": texts_report(model, texts), "pairs": pairs_report(model, pairs)}
    for path in options.pairs:
        report[path.stem] = pairs_report(model, [row for row in read_pairs(path) if row.measured])
    print(json.dumps(report, indent=2))


if __name__ == "__main__":
    main()
