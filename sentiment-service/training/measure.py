"""Measure a packed model and write what it says of itself into its manifest: held-out scores, calibration, reference.

    python training/measure.py --model FOLDER --validation es_val.tsv [--float FOLDER] [--reference tweets.txt]

``--float`` is the same model in float32, to print what int8 costs. ``--reference`` has one real text a line, without
labels: the shares of the model's answers on them are what the service compares its traffic with.
"""

import argparse
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from evaluate import (  # type: ignore[import-not-found, unused-ignore]
    Rows,
    probabilities_of,
    read_labelled,
    report,
    summary,
)

from castor_chassis import ModelFolder
from sentiment_service.classifiers.base import LABELS, REMEDY
from sentiment_service.classifiers.linear import LinearClassifier
from sentiment_service.classifiers.loader import load_model
from sentiment_service.classifiers.transformer import MODEL_FILE, TOKENIZER_FILE, TransformerClassifier

_BINS = 10


def reference(probabilities: Rows, source: str) -> dict[str, Any]:
    """Return label shares, and the share of answers whose confidence lies in each of ten bins of equal width."""
    shares = np.bincount(probabilities.argmax(axis=1), minlength=len(LABELS)) / len(probabilities)
    bins = np.histogram(probabilities.max(axis=1), bins=_BINS, range=(0, 1))[0] / len(probabilities)
    return {
        "texts": len(probabilities),
        "source": source,
        "labels": dict(zip(LABELS, shares.round(4).tolist(), strict=True)),
        "confidence": bins.round(4).tolist(),
    }


def quantisation_cost(model: Path, plain: Path, labels: Sequence[str], texts: Sequence[str]) -> dict[str, float]:
    """Return what int8 changes against float32: macro-F1, share of equal answers, farthest probability; no blend."""
    truth = np.array([LABELS.index(label) for label in labels])
    found = {}
    for name, folder in (("int8", model), ("float32", plain)):
        logits = TransformerClassifier.load(folder, linear=LinearClassifier.load()).logits(texts)
        powers = np.exp(logits - logits.max(axis=1, keepdims=True))
        found[name] = powers / powers.sum(axis=1, keepdims=True)
    scores = {f"{name}_macro_f1": summary(truth, rows)["macro_f1"] for name, rows in found.items()}
    same = found["int8"].argmax(axis=1) == found["float32"].argmax(axis=1)
    gap = float(np.abs(found["int8"] - found["float32"]).max())
    return {**scores, "same_answers": round(float(same.mean()), 4), "farthest_probability": round(gap, 4)}


def main() -> None:
    """Measure, print, write."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--model", type=Path, required=True)
    parser.add_argument("--validation", type=Path, required=True)
    parser.add_argument("--float", type=Path)
    parser.add_argument("--reference", type=Path)
    options = parser.parse_args()
    labels, texts = read_labelled(options.validation)
    model = load_model(str(options.model))
    found = {"validation": report(model, labels, texts)}
    artifacts = ModelFolder(options.model, REMEDY)
    manifest = artifacts.manifest()
    measured = ("macro_f1", "expected_calibration_error", "calibration_floor")
    manifest["held_out"] |= {f"validation_{name}": found["validation"][name] for name in measured}
    manifest["measured_languages"] = ["es"]
    manifest["calibration"] = {
        "bins": 15,
        "cross_validated_expected_calibration_error": manifest["held_out"].get(
            "cross_validated_expected_calibration_error", 0.0
        ),
        "validation_expected_calibration_error": found["validation"]["expected_calibration_error"],
    }
    found["validation_reference"] = reference(probabilities_of(model, texts), options.validation.stem)
    if options.reference is not None:
        lines = options.reference.read_text(encoding="utf-8").splitlines()
        manifest["reference"] = found["reference"] = reference(probabilities_of(model, lines), "real tweets")
    if options.float is not None:
        found["quantisation"] = quantisation_cost(options.model, options.float, labels, texts)
    artifacts.write_manifest(manifest, (MODEL_FILE, TOKENIZER_FILE))
    print(json.dumps(found, indent=2, ensure_ascii=False))


if __name__ == "__main__":
    main()
