"""Scores in Redis, under what the model reads of a text: one entry for all spellings that normalise to the same."""

from __future__ import annotations

import hashlib
import struct
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Any

from castor_chassis import Cache
from sentiment_service.classifier import ModelCard, Scores
from sentiment_service.metrics import CACHE
from sentiment_service.model import Judgement
from sentiment_service.normalise import normalise

_SCORES = struct.Struct("<3d")


def cache_key(card: ModelCard, text: str) -> str:
    """Return the key of a text's scores by this version of this model."""
    digest = hashlib.blake2b(normalise(text).encode("utf-8", "surrogatepass"), digest_size=16).hexdigest()
    return f"scores:{card.id}:{card.version}:{digest}"


def packed(scores: Scores) -> bytes:
    """Return three little-endian doubles: positive, neutral, negative."""
    return _SCORES.pack(scores.positive, scores.neutral, scores.negative)


def unpacked(value: bytes | None) -> Judgement | None:
    """Return what ``packed`` made; None for anything else, which counts as a miss."""
    if value is None or len(value) != _SCORES.size:
        return None
    return Judgement(Scores(*_SCORES.unpack(value)))


class ScoreCache:
    """Remembers scores for ``ttl_seconds``; when Redis is away everything is a miss. Reasons are not remembered."""

    def __init__(self, cache: Cache, in_thread: Callable[..., Awaitable[Any]], ttl_seconds: int) -> None:
        self._cache = cache
        self._in_thread = in_thread
        self._ttl_seconds = ttl_seconds

    async def get(self, card: ModelCard, texts: Sequence[str]) -> dict[str, Judgement]:
        """Return the judgements that are known, by text."""
        values = await self._cache.get_many(await self._keys(card, texts))
        found = {text: known for text, value in zip(texts, values, strict=True) if (known := unpacked(value))}
        CACHE.labels("hit").inc(len(found))
        CACHE.labels("miss").inc(len(texts) - len(found))
        return found

    async def put(self, card: ModelCard, judgements: Mapping[str, Judgement]) -> None:
        """Remember what the model scored."""
        scored = {text: judgement.scores for text, judgement in judgements.items() if judgement.reason is None}
        keys = await self._keys(card, list(scored))
        values = {key: packed(scores) for key, scores in zip(keys, scored.values(), strict=True)}
        await self._cache.set_many(values, self._ttl_seconds)

    async def _keys(self, card: ModelCard, texts: Sequence[str]) -> list[str]:
        return await self._in_thread(_keys, card, texts)  # type: ignore[no-any-return]


def _keys(card: ModelCard, texts: Sequence[str]) -> list[str]:
    return [cache_key(card, text) for text in texts]
