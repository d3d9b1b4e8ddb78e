"""Fit how the transformer and the linear model add up, on training texts that neither saw, and write it into a model.

    python training/calibrate.py --train es.tsv --runs RUN0 … RUN4 --linear linear.npy --model FOLDER

RUN0 to RUNk-1 are the fine-tuned folds 0/k to k-1/k; each left out every k-th text and wrote `held_out.npy`.
`linear.npy` is what `cross_linear.py` wrote. Four parameters (two weights and two biases; the bias of neutral is 0)
minimise the log loss: logits = transformer * log p_t + linear * log p_l + bias. What is printed as `cross_validated` is
measured on tenths that the four parameters did not see either.
"""

import argparse
import json
from pathlib import Path

import numpy as np
from evaluate import (  # type: ignore[import-not-found, unused-ignore]
    Classes,
    Rows,
    calibration_floor,
    read_labelled,
    summary,
)
from scipy.optimize import minimize

from castor_chassis import ModelFolder
from sentiment_service.classifiers.base import LABELS, REMEDY, softmax
from sentiment_service.classifiers.linear import LINEAR_MODEL, LinearClassifier
from sentiment_service.classifiers.transformer import MODEL_FILE, TOKENIZER_FILE, Blend

_TENTHS = 10


def out_of_fold(runs: list[Path], count: int) -> Rows:
    """Return probabilities of shape (texts, LABELS), each from the run that did not see the text."""
    logits = np.zeros((count, len(LABELS)))
    for fold, run in enumerate(runs):
        logits[np.arange(count) % len(runs) == fold] = np.load(run / "held_out.npy")
    return softmax(logits)


def blend_of(values: Rows) -> Blend:
    """Return the blend of the four parameters."""
    return Blend(float(values[0]), float(values[1]), (float(values[2]), 0.0, float(values[3])))


def fitted(transformer: Rows, linear: Rows, truth: Classes) -> Blend:
    """Return the blend of least log loss."""

    def loss(values: Rows) -> float:
        right = softmax(blend_of(values).logits(transformer, linear))[np.arange(len(truth)), truth]
        return float(-np.log(right).mean())

    return blend_of(minimize(loss, [1.0, 0.3, 0.0, 0.0], method="Nelder-Mead", options={"maxiter": 4000}).x)


def cross_validated(transformer: Rows, linear: Rows, truth: Classes) -> dict[str, float]:
    """Return the scores of blends on tenths that they were not fitted on."""
    tenth = np.random.default_rng(0).permutation(len(truth)) % _TENTHS
    found = np.zeros_like(transformer)
    for one in range(_TENTHS):
        seen, unseen = tenth != one, tenth == one
        blend = fitted(transformer[seen], linear[seen], truth[seen])
        found[unseen] = softmax(blend.logits(transformer[unseen], linear[unseen]))
    return {**summary(truth, found), "calibration_floor": round(calibration_floor(found), 4)}


def main() -> None:
    """Fit, print, write."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--runs", type=Path, nargs="+", required=True)
    for name in ("--train", "--linear", "--model"):
        parser.add_argument(name, type=Path, required=True)
    options = parser.parse_args()
    truth = np.array([LABELS.index(label) for label in read_labelled(options.train)[0]])
    transformer, linear = out_of_fold(options.runs, len(truth)), np.exp(np.load(options.linear))
    blend = fitted(transformer, linear, truth)
    scores = cross_validated(transformer, linear, truth)
    artifacts = ModelFolder(options.model, REMEDY)
    manifest = artifacts.manifest()
    shipped = LinearClassifier.load(LINEAR_MODEL).model
    manifest["blend"] = {
        "with": f"{shipped.id} {shipped.version}",
        "transformer": round(blend.transformer, 4),
        "linear": round(blend.linear, 4),
        "bias": [round(value, 4) for value in blend.bias],
    }
    manifest["held_out"] |= {f"cross_validated_{name}": value for name, value in scores.items()}
    artifacts.write_manifest(manifest, (MODEL_FILE, TOKENIZER_FILE))
    alone = {"transformer": summary(truth, transformer), "linear": summary(truth, linear)}
    print(json.dumps({"blend": manifest["blend"], "cross_validated": scores, **alone}, indent=2))


if __name__ == "__main__":
    main()
