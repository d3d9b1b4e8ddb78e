"""Vectors for texts: from the bundled encoder or an upstream, each text computed once and then remembered."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, Literal, Protocol

import numpy as np
import orjson

from castor_chassis import Cache, ServiceError
from openai_service.errors import WrongVectors
from openai_service.extractive.ranker import Floats

_BATCH = 256


@dataclass(frozen=True, slots=True)
class Vectors:
    """One float32 row per text; ``tokens`` counts only what was computed now."""

    rows: Floats
    model: str
    version: str | None
    tokens: int


def portions(texts: Sequence[str], size: int = _BATCH) -> Iterator[list[str]]:
    """Yield ``texts`` in order, ``size`` at a time."""
    return (list(texts[start : start + size]) for start in range(0, len(texts), size))


class Embedder(Protocol):
    """Computes vectors."""

    name: str
    model: str
    """The real model; vectors of two models do not compare."""
    version: str | None
    """Changes when its vectors do; None where only the model's name tells."""
    space: str
    """What must be equal for two vectors of one text to be equal."""

    def batches(self, texts: Sequence[str]) -> Iterator[list[str]]:
        """Yield ``texts`` in order, as many at a time as ``embed`` takes."""

    def check(self, dimensions: int | None) -> None:
        """Raise ``WrongDimensions`` when it is known that such vectors cannot be made."""

    async def embed(self, texts: Sequence[str], dimensions: int | None) -> tuple[Floats, int]:
        """Return one row per text, in order, and the tokens that were spent."""


async def embed(
    cache: Cache, ttl_seconds: int, embedder: Embedder, texts: list[str], dimensions: int | None
) -> Vectors:
    """Return the vectors of ``texts`` in their order; a text that occurs twice is computed once."""
    embedder.check(dimensions)
    keys = {text: _key(embedder.space, dimensions, text) for text in dict.fromkeys(texts)}
    stored = await cache.get_many(list(keys.values()))
    known = {text: row for text, value in zip(keys, stored, strict=True) if (row := _row(value)) is not None}
    missing = [text for text in keys if text not in known]
    tokens = 0
    for batch in embedder.batches(missing):
        with _noting_progress(len(known), len(keys)):
            rows, spent = await embedder.embed(batch, dimensions)
        fresh = dict(zip(batch, rows, strict=True))
        await cache.set_many({keys[text]: row.astype("<f4").tobytes() for text, row in fresh.items()}, ttl_seconds)
        known.update(fresh)
        tokens += spent
    lengths = {len(row) for row in known.values()}
    if len(lengths) > 1:
        reason = f"vectors of {' and '.join(map(str, sorted(lengths)))} dimensions, some of them remembered,"
        raise WrongVectors(provider=embedder.name, model=embedder.model, reason=reason)
    return Vectors(np.stack([known[text] for text in texts]), embedder.model, embedder.version, tokens)


@contextmanager
def _noting_progress(done: int, of: int) -> Iterator[None]:
    # What is done is remembered, so whoever repeats the request pays the rest alone.
    try:
        yield
    except ServiceError as error:
        error.details.update(texts_done=done, texts=of)
        raise


def _key(space: str, dimensions: int | None, text: str) -> str:
    return f"embedding:{space}:{dimensions or 'full'}:{hashlib.sha256(text.encode()).hexdigest()}"


def _row(value: bytes | None) -> Floats | None:
    # An entry that is no whole number of float32 was damaged, and counts as absent.
    return np.frombuffer(value, "<f4").astype(np.float32) if value and len(value) % 4 == 0 else None


def rendered(vectors: Vectors, encoding: Literal["float", "base64"], degraded: list[str] | None) -> bytes:
    """Return the answer as JSON; both encodings carry the same float32 numbers."""
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
