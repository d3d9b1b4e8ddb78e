"""Embedding vectors: as a float32 matrix, and as the JSON of an OpenAI embeddings answer."""

from __future__ import annotations

import base64
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import numpy.typing as npt
import orjson

Floats = npt.NDArray[np.float32]
"""A float32 array; where it holds vectors, shape (texts, dimensions)."""


@dataclass(frozen=True, slots=True)
class Vectors:
    """One float32 row per text."""

    rows: Floats
    model: str
    """The model that computed them; vectors of two models do not compare."""
    version: str | None
    tokens: int
    """Tokens of the texts that were computed for this request; texts from the cache count none."""


def render_vectors(vectors: Vectors, encoding: Literal["float", "base64"], degraded: list[str] | None) -> bytes:
    """Return an embeddings answer as JSON; both encodings carry the same little-endian float32 numbers."""
    rows = np.ascontiguousarray(vectors.rows, dtype="<f4")
    values: list[Any] = [base64.b64encode(row).decode() for row in rows] if encoding == "base64" else list(rows)
    answer: dict[str, Any] = {
        "object": "list",
        "data": [{"object": "embedding", "index": index, "embedding": value} for index, value in enumerate(values)],
        "model": vectors.model,
        "usage": {"prompt_tokens": vectors.tokens, "total_tokens": vectors.tokens},
    }
    if vectors.version:
        answer["version"] = vectors.version
    if degraded:
        answer["degraded"] = degraded
    return orjson.dumps(answer, option=orjson.OPT_SERIALIZE_NUMPY)
