"""Vectors like those of tweets, in any number: real embeddings, each repeated with noise."""

from __future__ import annotations

import csv
import json
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from openai_service.embeddings.transformer import TransformerEncoder

Floats = NDArray[np.float32]
SAMPLE = Path(__file__).resolve().parents[2] / "devstack" / "castor_devstack" / "sample" / "tweets.jsonl"
NOISE = 0.35
"""Length of the noise that is added to a unit vector: the copy has a cosine of about .94 to its original."""


def texts_of(source: Path | None) -> list[str]:
    """Return the distinct texts of a CSV with the column ``text``, or of the bundled sample."""
    if source is None:
        return list(dict.fromkeys(json.loads(line)["text"] for line in SAMPLE.read_text("utf-8").splitlines()))
    with source.open(encoding="utf-8", newline="") as file:
        return list(dict.fromkeys(row["text"] for row in csv.DictReader(file)))


def embedded(texts: list[str], kept: Path | None) -> Floats:
    """Return the vector of each text by the bundled encoder, read from ``kept`` where they are there already."""
    if kept is not None and kept.exists():
        found: Floats = np.load(kept)
        return found
    encoder = TransformerEncoder.load()
    vectors = np.vstack([encoder.encode(texts[at : at + 256], "passage") for at in range(0, len(texts), 256)])
    if kept is not None:
        np.save(kept, vectors)
    return vectors.astype(np.float32)


def noisy(real: Floats, count: int, seed: int) -> Floats:
    """Return ``count`` unit vectors: rows of ``real`` in turn, each with noise of its own."""
    draw = np.random.default_rng(seed)
    rows = real[draw.permutation(count) % len(real)]
    noise = draw.standard_normal(rows.shape, dtype=np.float32)
    moved = rows + noise * (NOISE / np.linalg.norm(noise, axis=1, keepdims=True))
    unit: Floats = (moved / np.linalg.norm(moved, axis=1, keepdims=True)).astype(np.float32)
    return unit
