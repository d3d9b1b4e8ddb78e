"""Macro-F1, calibration and confusion of the model on labelled Spanish tweets, through the mTLS API.

``CASTOR_LABELLED`` is a file of ``label TAB text`` lines, by default `umsab_es_val.tsv` in CASTOR_DATA or
../shared/data. ``SENTIMENT_MODEL`` (default `bundled`) is what the service runs. With ``CASTOR_HF_MODEL``, a Hugging
Face folder of the same weights, the float network is compared with the shipped one, both without what is mixed in.
"""

from __future__ import annotations

import asyncio
import os
import sys
import tempfile
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

from bench.sentiment import processes as peers
from bench.sentiment.throughput import MODEL, client_of
from castor_chassis.testing import Authority
from sentiment_service.classifiers.base import LABELS
from sentiment_service.classifiers.loader import load_model
from sentiment_service.classifiers.transformer import TransformerClassifier

ECE_BINS = 15
Answer = tuple[str, float]
"""A label and its probability."""


def labelled() -> tuple[list[str], list[str]]:
    """Return labels and texts; ends the program where there are none."""
    path = Path(os.environ.get("CASTOR_LABELLED") or peers.DATA / "umsab_es_val.tsv")
    if not path.is_file():
        sys.exit(f"there is no {path}: set CASTOR_LABELLED to a file of `label TAB text` lines")
    truth, texts = zip(*(row.split("\t", 1) for row in path.read_text(encoding="utf-8").splitlines()), strict=True)
    return list(truth), list(texts)


def f1_of(label: str, truth: Sequence[str], answered: Sequence[str]) -> float:
    """Return the F1 of one label."""
    right = sum(one == two == label for one, two in zip(truth, answered, strict=True))
    return 2 * right / max(1, truth.count(label) + answered.count(label))


def macro_f1(truth: Sequence[str], answered: Sequence[str]) -> float:
    """Return the mean F1 of the three labels."""
    return sum(f1_of(label, truth, answered) for label in LABELS) / len(LABELS)


def calibration_error(truth: Sequence[str], answers: Sequence[Answer]) -> float:
    """Return the expected calibration error of the answered label, over bins of equal width in confidence."""
    bins: dict[int, list[float]] = {}
    for wanted, (label, confidence) in zip(truth, answers, strict=True):
        bins.setdefault(min(ECE_BINS - 1, int(confidence * ECE_BINS)), []).append(confidence - (label == wanted))
    return sum(abs(sum(gaps)) for gaps in bins.values()) / len(truth)


async def through_the_api(texts: Sequence[str]) -> list[Answer]:
    """Return what the service answers to each text."""
    with tempfile.TemporaryDirectory() as folder:
        async with client_of(Authority.create(), Path(folder)) as (_, client):
            answer = await client.post("/v1/sentiment/analyze", json={"texts": list(texts)}, timeout=120)
            answer.raise_for_status()
            results = answer.json()["data"]["results"]
    return [(one["label"], one["confidence"]) for one in results]


async def float_and_shipped(texts: Sequence[str]) -> tuple[list[Answer], list[Answer]] | None:
    """Return the answers of the float network and of the shipped one; None where there is nothing to compare."""
    model = load_model(MODEL)
    async with peers.pipeline() as pipeline, peers.bare(MODEL) as bare:
        if pipeline is None or not isinstance(model, TransformerClassifier):
            return None
        return await pipeline.answers([model.prepare(text) for text in texts], 32), await bare.answers(texts, 0)


def report(name: str, truth: Sequence[str], answers: Sequence[Answer]) -> float:
    """Print scores, calibration and confusion; return the macro-F1."""
    found = [label for label, _ in answers]
    score = macro_f1(truth, found)
    print(f"{name}: macro-F1 {score:.4f}, ECE of {ECE_BINS} bins {calibration_error(truth, answers):.4f}; ", end="")
    print(", ".join(f"F1 {label} {f1_of(label, truth, found):.3f}" for label in LABELS))
    pairs = Counter(zip(truth, found, strict=True))
    print(f"{'':10}" + "".join(f"{label:>10}" for label in LABELS) + "   (answered)")
    for wanted in LABELS:
        print(f"{wanted:10}" + "".join(f"{pairs[wanted, label]:10}" for label in LABELS))
    return score


async def run() -> None:
    """Measure and print."""
    truth, texts = labelled()
    report(f"{MODEL}, {len(truth)} texts through the API", truth, await through_the_api(texts))
    if networks := await float_and_shipped(texts):
        names = "the network alone, float in torch", "the network alone, as it ships"
        scores = [report(name, truth, answers) for name, answers in zip(names, networks, strict=True)]
        same = sum(one[0] == two[0] for one, two in zip(*networks, strict=True)) / len(texts)
        print(f"shipped - float: macro-F1 {scores[1] - scores[0]:+.4f}, same labels {same:.3f}")


def main() -> None:
    """Print the scores."""
    asyncio.run(run())
