"""The vector cache: each text is computed once, and its vector is then taken from Redis.

A vector tells much of its text, so it is sealed by it (``castor_chassis.storage.sealing``): the text may
be erased elsewhere.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Sequence, Sized
from contextlib import contextmanager

import numpy as np

from castor_chassis import Cache, ServiceError
from castor_chassis.storage.sealing import Seal
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
    seals = {text: vector_seal(embedder.space, dimensions, text) for text in dict.fromkeys(texts)}
    stored = await cache.get_many([vector_key(seal) for seal in seals.values()])
    opened = {text: _row(seals[text].open(value)) for text, value in zip(seals, stored, strict=True)}
    known = {text: row for text, row in opened.items() if row is not None}
    if len({len(row) for row in known.values()}) > 1:
        # One of them is damaged, and nothing says which.
        known = {}
    missing = [text for text in seals if text not in known]
    tokens = 0
    for batch in embedder.batches(missing):
        with _reporting_progress(known, len(seals)):
            rows, used = await embedder.embed(batch, dimensions)
            computed = {text: row for text, row in zip(batch, rows, strict=True) if np.isfinite(row).all()}
            sealed = {seals[text]: row.astype("<f4").tobytes() for text, row in computed.items()}
            await cache.set_many({vector_key(seal): seal.close(row) for seal, row in sealed.items()}, ttl_seconds)
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


def vector_seal(space: str, dimensions: int | None, text: str) -> Seal:
    """Return the seal of the vector of a text by a model of that space."""
    return Seal(f"embedding\0{space}\0{dimensions or 'full'}\0{text}")


def vector_key(seal: Seal) -> str:
    """Return the key in the cache of a sealed vector."""
    return f"embedding:{seal.name.hex()}"


def _row(value: bytes | None) -> Floats | None:
    # A value that is not a whole number of finite float32 is damaged, and counts as absent.
    if not value or len(value) % 4:
        return None
    row = np.frombuffer(value, "<f4").astype(np.float32)
    return row if np.isfinite(row).all() else None
