"""Embeddings requests in batches that a provider accepts, and the check of the vectors in its answers."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any, TypeVar

import numpy as np

from openai_service.errors import WrongVectors
from openai_service.protocol.vectors import Floats

_MAX_MODELS = 1000


Input = TypeVar("Input", str, list[int])


def most_tokens(text: str | list[int]) -> int:
    """Return the most tokens that a text can be: its UTF-8 bytes, as a token is one byte or more, or its numbers."""
    return len(text.encode() if isinstance(text, str) else text)


def batches(
    texts: Sequence[Input],
    *,
    inputs: int,
    tokens: int,
    outgoing: Callable[[Input], str | list[int]] = lambda text: text,
) -> Iterator[list[Input]]:
    """Yield ``texts`` in order, at most ``inputs`` texts and ``tokens`` tokens at a time; a longer text goes alone.

    ``outgoing`` returns what leaves for a text, which is what counts.
    """
    batch: list[Input] = []
    size = 0
    for text in texts:
        length = most_tokens(outgoing(text))
        if batch and (len(batch) == inputs or size + length > tokens):
            yield batch
            batch, size = [], 0
        batch.append(text)
        size += length
    if batch:
        yield batch


class VectorReader:
    """Reads a provider's answers and remembers the number of dimensions of each model's vectors."""

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
        if len(self._lengths) >= _MAX_MODELS:  # callers choose the names
            self._lengths.clear()
        before = self._lengths.setdefault(model, length)
        if length != before:
            # Forgotten, so that the next call can succeed without a restart.
            del self._lengths[model]
            raise self._wrong(model, f"{length} dimensions, and {before} before")

    def _wrong(self, model: str, reason: str) -> WrongVectors:
        return WrongVectors(provider=self._provider, model=model, reason=reason)
