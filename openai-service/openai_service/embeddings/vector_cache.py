"""The vector cache: each text is computed once, and its vector is then taken from Redis."""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Iterable, Iterator, Sequence, Sized
from contextlib import contextmanager

import numpy as np

from castor_chassis import Cache, ServiceError
from openai_service.embeddings.embedder import Embedder
from openai_service.errors import TextNotEmbedded, WrongVectors
from openai_service.protocol.vectors import Floats, Vectors


async def embed_cached(
    cache: Cache, ttl_seconds: int, embedder: Embedder, texts: list[str], dimensions: int | None
) -> Vectors:
    """Return the vectors of ``texts`` in their order; a text that occurs twice is computed once.

    Raises what the embedder raises; its error says how many texts were done (``texts_done``, ``texts``).
    """
    embedder.check(dimensions)
    keys = {text: _key(embedder.space, dimensions, text) for text in dict.fromkeys(texts)}
    stored = await cache.get_many(list(keys.values()))
    known = {text: row for text, value in zip(keys, stored, strict=True) if (row := _row(value)) is not None}
    if len({len(row) for row in known.values()}) > 1:
        # One of them is damaged, and nothing says which.
        known = {}
    missing = [text for text in keys if text not in known]
    tokens = 0
    for batch in embedder.batches(missing):
        with _reporting_progress(known, len(keys)):
            rows, used = await embedder.embed(batch, dimensions)
            computed = {text: row for text, row in zip(batch, rows, strict=True) if np.isfinite(row).all()}
            await cache.set_many(
                {keys[text]: row.astype("<f4").tobytes() for text, row in computed.items()}, ttl_seconds
            )
            known.update(computed)
            _check_whole(embedder, texts, set(batch) - computed.keys())
        tokens += used
    _check_lengths(embedder, known.values())
    return Vectors(np.stack([known[text] for text in texts]), embedder.model, embedder.version, tokens)


def _check_whole(embedder: Embedder, texts: Sequence[str], bad: Collection[str]) -> None:
    """Raise ``TextNotEmbedded`` where there are ``bad`` texts, of which the model made no finite numbers."""
    if bad:
        first = next(place for place, text in enumerate(texts) if text in bad)
        raise TextNotEmbedded(model=embedder.model, count=len(bad), index=first)


def _check_lengths(embedder: Embedder, rows: Iterable[Floats]) -> None:
    lengths = {len(row) for row in rows}
    if len(lengths) > 1:
        reason = f"vectors of {' and '.join(map(str, sorted(lengths)))} dimensions, some of them remembered,"
        raise WrongVectors(provider=embedder.name, model=embedder.model, reason=reason)


@contextmanager
def _reporting_progress(done: Sized, of: int) -> Iterator[None]:
    # Computed vectors are in the cache, so a repeated request pays for the rest only.
    try:
        yield
    except ServiceError as error:
        error.details.update(texts_done=len(done), texts=of)
        raise


def _key(space: str, dimensions: int | None, text: str) -> str:
    return f"embedding:{space}:{dimensions or 'full'}:{hashlib.sha256(text.encode()).hexdigest()}"


def _row(value: bytes | None) -> Floats | None:
    # A value that is not a whole number of finite float32 is damaged, and counts as absent.
    if not value or len(value) % 4:
        return None
    row = np.frombuffer(value, "<f4").astype(np.float32)
    return row if np.isfinite(row).all() else None
