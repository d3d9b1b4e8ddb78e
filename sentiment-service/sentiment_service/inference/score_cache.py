"""A cache of scores in Redis, keyed by normalised text: spellings that normalise to the same share an entry."""

from __future__ import annotations

import hashlib
import struct
from collections.abc import Mapping, Sequence

from castor_chassis import Cache
from sentiment_service.classifiers.base import ModelCard, Scores
from sentiment_service.metrics import CACHE

_SCORES = struct.Struct("<3d")
_ROUNDING = 1e-3


def cache_key(card: ModelCard, normalised: str) -> str:
    """Return the key of a normalised text's scores by this version of this model."""
    digest = hashlib.blake2b(normalised.encode("utf-8", "surrogatepass"), digest_size=16).hexdigest()
    return f"scores:{card.id}:{card.version}:{digest}"


def packed(scores: Scores) -> bytes:
    """Return three little-endian doubles: positive, neutral, negative."""
    return _SCORES.pack(scores.positive, scores.neutral, scores.negative)


def unpacked(value: bytes | None) -> Scores | None:
    """Return the scores that ``packed`` wrote; None for anything else, which counts as a miss."""
    if value is None or len(value) != _SCORES.size:
        return None
    shares = _SCORES.unpack(value)
    # A damaged value has any bits.
    are_shares = all(0 <= share <= 1 for share in shares) and 0 < sum(shares) < 1 + _ROUNDING
    return Scores(*shares) if are_shares else None


class ScoreCache:
    """Keeps scores for ``ttl_seconds``; without Redis every look-up is a miss. Unscored texts are not stored."""

    def __init__(self, cache: Cache, ttl_seconds: int) -> None:
        self._cache = cache
        self._ttl_seconds = ttl_seconds

    async def get(self, card: ModelCard, normalised: Sequence[str]) -> dict[str, Scores]:
        """Return the scores that are stored, by normalised text."""
        values = await self._cache.get_many([cache_key(card, text) for text in normalised])
        found = {text: known for text, value in zip(normalised, values, strict=True) if (known := unpacked(value))}
        CACHE.labels("hit").inc(len(found))
        CACHE.labels("miss").inc(len(normalised) - len(found))
        return found

    async def put(self, card: ModelCard, scored: Mapping[str, Scores]) -> None:
        """Store scores, by normalised text."""
        values = {cache_key(card, text): packed(scores) for text, scores in scored.items()}
        await self._cache.set_many(values, self._ttl_seconds)
