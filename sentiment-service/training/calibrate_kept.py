"""Fit what a packed model's answers need to be probabilities, on rows of public sets that no run was trained on.

    python training/calibrate_kept.py --model FOLDER --texts FILE.tsv … [--pairs FILE.tsv …]

Of each file the rows kept for measuring are read (``sources.Row.measured``). For texts the weights of the blend with
the linear model are fitted (see `calibrate.py`; without biases, which would learn how frequent the labels are in these
sets), for pairs of text and target a scale and two biases; both by the least log loss of the packed model's answers.
Every file counts alike, whatever its number of rows. What is printed as `cross_validated` is measured on tenths of the
rows that the parameters were not fitted on.
"""

import argparse
import json
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from calibrate import blend_of  # type: ignore[import-not-found, unused-ignore]
from evaluate import Classes, Rows, calibration_floor, summary  # type: ignore[import-not-found, unused-ignore]
from numpy.typing import NDArray
from scipy.optimize import minimize
from sources import Row, read_pairs, read_texts  # type: ignore[import-not-found, unused-ignore]

from castor_chassis import ModelFolder
from sentiment_service.classifiers.base import LABELS, REMEDY, TargetedText, softmax
from sentiment_service.classifiers.linear import LINEAR_MODEL, LinearClassifier
from sentiment_service.classifiers.target_reader import Calibration, TargetReader
from sentiment_service.classifiers.transformer import MODEL_FILE, TOKENIZER_FILE, TransformerClassifier

_TENTHS = 10
Logits = Callable[[Rows, NDArray[np.bool_]], Rows]
"""From parameters and chosen rows to logits of shape (chosen rows, LABELS)."""


def kept(files: Iterable[Path], read: Callable[[Path], Iterable[Row]]) -> list[Row]:
    """Return the rows of the files that are kept for measuring."""
    return [row for path in files for row in read(path) if row.measured]


def weights_of(rows: Sequence[Row]) -> NDArray[np.float64]:
    """Return the weight of each row: files count alike."""
    counts = Counter(row.source for row in rows)
    return np.array([1 / counts[row.source] for row in rows])


def fitted(logits: Logits, start: Sequence[float], truth: Classes, weights: NDArray[np.float64], seen: Any) -> Rows:
    """Return the parameters of least weighted log loss on the rows ``seen``."""

    def loss(values: Rows) -> float:
        right = softmax(logits(values, seen))[np.arange(seen.sum()), truth[seen]]
        return float(-np.average(np.log(np.maximum(right, 1e-12)), weights=weights[seen]))

    return np.asarray(minimize(loss, start, method="Nelder-Mead", options={"maxiter": 4000}).x)


def fit(logits: Logits, start: Sequence[float], rows: Sequence[Row]) -> tuple[Rows, dict[str, float]]:
    """Return the parameters, and the scores on tenths that they were not fitted on."""
    truth, weights = np.array([LABELS.index(row.label) for row in rows]), weights_of(rows)
    tenth = np.random.default_rng(0).permutation(len(rows)) % _TENTHS
    found = np.zeros((len(rows), len(LABELS)))
    for one in range(_TENTHS):
        found[tenth == one] = softmax(logits(fitted(logits, start, truth, weights, tenth != one), tenth == one))
    scores = {"n": len(rows), **summary(truth, found), "calibration_floor": round(calibration_floor(found), 4)}
    return fitted(logits, start, truth, weights, tenth >= 0), scores


def blended(model: TransformerClassifier, linear: LinearClassifier, rows: Sequence[Row]) -> Logits:
    """Return the logits of texts by the two weights of a blend."""
    texts = [row.text for row in rows]
    alone, beside = np.exp(model.logits(texts)), linear.probabilities(texts)
    return lambda values, chosen: blend_of(np.array([*values, 0.0, 0.0])).logits(alone[chosen], beside[chosen])


def towards(reader: TargetReader, rows: Sequence[Row]) -> Logits:
    """Return the logits of pairs by scale and the biases of positive and negative.

    A pair of more than one window is taken by its whole answer.
    """
    scores = reader.classify([TargetedText(row.text, row.target) for row in rows])
    plain = np.log(np.maximum([[getattr(one, label) for label in LABELS] for one in scores], 1e-12))
    return lambda values, chosen: calibration_of(values)(plain[chosen])


def calibration_of(values: Rows) -> Calibration:
    """Return the calibration of the three parameters."""
    return Calibration(float(values[0]), (float(values[1]), 0.0, float(values[2])))


def rounded(values: Sequence[float]) -> list[float]:
    """Return the values with four decimals."""
    return [round(float(value), 4) for value in values]


def calibrate_texts(manifest: dict[str, Any], model: TransformerClassifier, rows: Sequence[Row]) -> dict[str, float]:
    """Put the blend of texts into the manifest; returns its scores."""
    linear = LinearClassifier.load(LINEAR_MODEL)
    values, scores = fit(blended(model, linear, rows), [1.0, 0.3], rows)
    transformer, share = rounded(values)
    name = f"{linear.model.id} {linear.model.version}"
    manifest["blend"] = {"with": name, "transformer": transformer, "linear": share, "bias": [0.0, 0.0, 0.0]}
    return scores


def calibrate_pairs(manifest: dict[str, Any], reader: TargetReader, rows: Sequence[Row]) -> dict[str, float]:
    """Put the calibration of pairs into the manifest; returns its scores."""
    values, scores = fit(towards(reader, rows), [1.0, 0.0, 0.0], rows)
    manifest["towards"] = {"scale": rounded(values)[0], "bias": rounded(calibration_of(values).bias)}
    return scores


def main() -> None:
    """Fit, print, write."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--model", type=Path, required=True)
    parser.add_argument("--texts", type=Path, nargs="+", required=True)
    parser.add_argument("--pairs", type=Path, nargs="*", default=[])
    options = parser.parse_args()
    artifacts = ModelFolder(options.model, REMEDY)
    manifest = artifacts.manifest()
    manifest.pop("blend", None)
    if options.pairs:
        manifest["towards"] = {"scale": 1.0, "bias": [0.0, 0.0, 0.0]}
    artifacts.write_manifest(manifest, (MODEL_FILE, TOKENIZER_FILE))
    model = TransformerClassifier.load(options.model)
    scores = {"": calibrate_texts(manifest, model, kept(options.texts, read_texts))}
    if model.target_reader is not None:
        scores["pairs_"] = calibrate_pairs(manifest, model.target_reader, kept(options.pairs, read_pairs))
    manifest["held_out"] = {
        f"{part}cross_validated_{name}": value for part, some in scores.items() for name, value in some.items()
    }
    artifacts.write_manifest(manifest, (MODEL_FILE, TOKENIZER_FILE))
    print(json.dumps({name: manifest[name] for name in ("blend", "towards", "held_out") if name in manifest}, indent=2))


if __name__ == "__main__":
    main()
