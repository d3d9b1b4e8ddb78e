"""Embeddings as providers give and take them: no more at once than they accept, and no vector that is none."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np

from openai_service.errors import WrongVectors
from openai_service.extractive.ranker import Floats

_MODELS = 1000


def batches(texts: Sequence[str], *, inputs: int, tokens: int) -> Iterator[list[str]]:
    """Yield ``texts`` in order, at most ``inputs`` and ``tokens`` at a time; a text that is longer goes alone.

    A token of text is at least a byte, so bytes are counted: no batch is too long, some are shorter than they could be.
    """
    batch: list[str] = []
    size = 0
    for text in texts:
        length = len(text.encode())
        if batch and (len(batch) == inputs or size + length > tokens):
            yield batch
            batch, size = [], 0
        batch.append(text)
        size += length
    if batch:
        yield batch


class VectorReader:
    """Reads a provider's answers and remembers how long each model's vectors are."""

    def __init__(self, provider: str) -> None:
        self._provider = provider
        self._lengths: dict[str, int] = {}

    def read(self, reply: dict[str, Any], model: str, count: int, dimensions: int | None) -> Floats:
        """Return one float32 row per text, in the order of their indexes.

        Raises ``WrongVectors`` for another number or length of vectors than was asked for, or than the model made
        before, and ``ValueError``, ``LookupError`` or ``TypeError`` for what is no answer at all.
        """
        ordered = sorted(reply["data"], key=lambda item: item["index"])
        if [item["index"] for item in ordered] != list(range(count)):
            raise self._wrong(model, f"{len(ordered)} vectors for {count} texts")
        rows = np.array([item["embedding"] for item in ordered], dtype=np.float32)
        if rows.ndim != 2:
            raise ValueError("vectors that are no lists of numbers")
        self._check(model, rows.shape[1], dimensions)
        return rows

    def _check(self, model: str, length: int, dimensions: int | None) -> None:
        if dimensions is not None:
            if length != dimensions:
                raise self._wrong(model, f"{length} dimensions instead of {dimensions}")
            return
        if len(self._lengths) >= _MODELS:  # callers choose the names
            self._lengths.clear()
        before = self._lengths.setdefault(model, length)
        if length != before:
            # The next call must be able to succeed, or only a restart would end this.
            del self._lengths[model]
            raise self._wrong(model, f"{length} dimensions, and {before} before")

    def _wrong(self, model: str, reason: str) -> WrongVectors:
        return WrongVectors(provider=self._provider, model=model, reason=reason)
